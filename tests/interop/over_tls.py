"""Scenes of clients and proxies against the example servers, over TLS."""

from against_serve import (FEW, HELLO, client_program, curl, node_client, python_client, request, undici_client)
from certificates import certificates, strangers
from harness import Tap, check, equal, exchange, file_of, need_command, noise, read_all, run, serving, sizes
from in_front import cuts, kept, through
from proxies import nginx_in_front


def secured(scene):
    """A scene that is given the same server, but with TLS."""
    def wrapped(server):
        with server.secured(certificates()) as secure:
            scene(secure)
    return wrapped


def over_tls(peer, name):
    return lambda scene: serving(peer, f"TLS: {name}")(secured(scene))


def trusting():
    return ["--cacert", certificates().ca]


# --- curl ----------------------------------------------------------------------------------------------------------


@over_tls("curl-tls", "one connection for many requests, content of many sizes both ways")
def _(server):
    with Tap(server.port) as tap:
        url = lambda path: tap.url(path, "https")
        seen = curl(*trusting(), "-w", "%{num_connects}%{http_version}", url("/plain"), url("/bytes/5"), url("/status/404"))
        equal(seen, HELLO + b"11.1" + b"00000" + b"01.1" + b"status 404\n" + b"01.1", "three on one connection")
        tap.only()
        for size in sizes():
            data = noise(size)
            equal(len(curl(*trusting(), url(f"/bytes/{size}"))), size, "length of /bytes")
            equal(len(curl(*trusting(), url(f"/chunked/{size}"))), size, "length of /chunked")
            check(curl(*trusting(), "--data-binary", f"@{file_of(data)}", url("/echo")) == data, f"an echo of {size}")


@over_tls("curl-tls", "versions, name, authority, errors, cut content")
def _(server):
    url = f"https://127.0.0.1:{server.port}"
    for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        through(server.port, *version, scheme="https", options=trusting())
    by_name = curl(*trusting(), "--resolve", f"localhost:{server.port}:127.0.0.1", f"https://localhost:{server.port}/plain")
    equal(by_name, HELLO, "by name")
    curl("--cacert", strangers().ca, f"{url}/plain", status=60)
    data = noise(100_000)
    seen = curl(*trusting(), "-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary",
                f"@{file_of(data)}", f"{url}/echo")
    check(seen == data, "Expect")
    equal(len(curl(*trusting(), "--http1.0", f"{url}/chunked/70000")), 70000, "until the end of the session")
    cuts(server.port, "https", trusting())
    # What is not TLS is not answered in plain, and harms nobody.
    seen = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", half_close=True)
    check(not seen.startswith(b"HTTP/"), "an answer to what is not TLS", seen)
    equal(curl(*trusting(), f"{url}/plain"), HELLO, "others are served")


# --- openssl ---------------------------------------------------------------------------------------------------------


def s_client(server, *options, stdin=b"", status=0):
    return run(need_command("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
               certificates().ca, "-verify_return_error", *options, stdin=stdin, status=status)


@over_tls("openssl", "s_client: pipelined requests and uploads, versions 1.2 and 1.3")
def _(server):
    data = (request("/bytes/100000") + request("/chunked/100000") + request("/status/404")
            + request("/echo", "POST", "Transfer-Encoding: chunked", content=b"5\r\nchunk\r\n0\r\n\r\n")
            + request("/plain", "GET", "Connection: close"))
    for version in ("-tls1_2", "-tls1_3"):
        seen = s_client(server, "-quiet", version, stdin=data).stdout
        answers = read_all(seen, *["GET"] * 3, "POST", "GET")
        equal([answer.status for answer in answers], [200, 200, 404, 200, 200], version)
        equal([len(answer.content) for answer in answers], [100000, 100000, 11, 5, 13], version)


@over_tls("openssl", "s_client: what is negotiated, and a session that is resumed")
def _(server):
    told = s_client(server, "-alpn", "h2,http/1.1").stdout
    check(b"ALPN protocol: http/1.1" in told and b"Verify return code: 0 (ok)" in told, "ALPN", told[-500:])
    refused = s_client(server, "-alpn", "h2", status=1)
    check(b"no application protocol" in refused.stderr, "h2 alone is refused by name", refused.stderr)
    for version in ("-tls1", "-tls1_1"):
        s_client(server, version, "-cipher", "DEFAULT@SECLEVEL=0", status=1)
    kept_by = file_of(b"", f"session-{server.port}")
    last = request("/plain", "GET", "Connection: close")
    s_client(server, "-quiet", "-tls1_3", "-sess_out", kept_by, stdin=last)
    resumed = s_client(server, "-ign_eof", "-tls1_3", "-sess_in", kept_by, stdin=last).stdout
    check(b"Reused, TLSv1.3" in resumed and HELLO in resumed, "the session is resumed", resumed[-500:])


@over_tls("openssl", "s_time: a handshake for each request")
def _(server):
    out = run(need_command("openssl", "openssl"), "s_time", "-connect", f"127.0.0.1:{server.port}", "-www", "/plain",
              "-CAfile", certificates().ca, "-new", "-time", "1").stdout
    count = int(out.split(b" connections in")[0].split()[-1])
    check(count > 20, "handshakes in a second", out[-300:])


# --- others ----------------------------------------------------------------------------------------------------------


def program(peer, command, links):
    def told():
        # Node's fetch takes the authority from its environment alone.
        return ["env", f"NODE_EXTRA_CA_CERTS={certificates().ca}", *command()]
    scene = client_program(told, links, lambda tap: [tap.url("", "https"), certificates().ca])
    over_tls(peer, "everything that is asked in plain")(scene)


program("python", lambda: python_client("http.client"), FEW)
program("httpx", lambda: python_client("httpx", "httpx"), FEW)
program("aiohttp", lambda: python_client("aiohttp", "aiohttp"), FEW)
program("node", node_client, range(22, 30))
program("undici", undici_client, range(3, 6))


@over_tls("wget", "files, a post, errors")
def _(server):
    wget = [need_command("wget", "wget"), "-q", "-T10", "-t1", "-O-", f"--ca-certificate={certificates().ca}"]
    with Tap(server.port) as tap:
        url = lambda path: tap.url(path, "https")
        equal(len(run(*wget, url("/bytes/100000"), url("/chunked/100000"), url("/plain")).stdout), 200013, "content")
        tap.only()
        data = noise(100_000)
        check(run(*wget, f"--post-file={file_of(data)}", url("/echo")).stdout == data, "the echo")
        equal(run(*wget, url("/status/404"), url("/plain"), status=8).stdout, HELLO, "an error, and what follows")


@over_tls("wrk", "64 connections, no error")
def _(server):
    out = run(need_command("wrk", "wrk"), "-t1", "-c64", "-d2s", f"https://127.0.0.1:{server.port}/bytes/20000").stdout.decode()
    check("Socket errors" not in out and "Non-2xx" not in out, "it went wrong", out)
    check(int(out.split(" requests in")[0].split()[-1]) > 200, "too few requests", out)


@over_tls("nginx", "between TLS and TLS, keeping connections")
def _(server):
    made = certificates()
    settings = f"""
        ssl_certificate {made.cert}; ssl_certificate_key {made.key};
        proxy_ssl_trusted_certificate {made.ca}; proxy_ssl_verify on; proxy_ssl_name localhost;"""
    with Tap(server.port) as tap, nginx_in_front(tap.port, "https", "ssl", settings) as port:
        through(port, scheme="https", options=trusting())
        kept(tap)
        cuts(port, "https", trusting())
