"""Certificates for one run, made by `openssl` on the spot."""

import functools
import types

from harness import need_command, run, scratch

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\n"


@functools.cache
def certificates(names=NAMES):
    """An authority of its own, `ca`, and what it vouches for: `cert` and `key`."""
    openssl = need_command("openssl", "openssl")
    folder = scratch / f"certificates-{abs(hash(names))}"
    folder.mkdir()
    made = types.SimpleNamespace(ca=folder / "ca.pem", cert=folder / "cert.pem", key=folder / "key.pem")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority, request, extensions = folder / "ca.key", folder / "request.pem", folder / "extensions"
    extensions.write_text(names)
    run(openssl, "req", "-x509", *new, "-keyout", authority, "-out", made.ca, "-days", "2", "-subj", "/CN=interop",
        "-addext", "keyUsage=critical,keyCertSign")
    run(openssl, "req", *new, "-keyout", made.key, "-out", request, "-subj", "/CN=localhost")
    run(openssl, "x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", authority, "-CAcreateserial", "-days", "2",
        "-extfile", extensions, "-out", made.cert)
    return made


def strangers():
    """Another authority, that nobody here trusts."""
    return certificates(NAMES + "# of a stranger\n")


def misnamed():
    """For another host than any that is asked here."""
    return certificates("subjectAltName=DNS:elsewhere.example\n")
