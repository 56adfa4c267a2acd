"""Scenes of the example clients by way of proxies: SOCKS 5, HTTP, HTTP over TLS."""

from against_fetch import origin
from certificates import certificates
from contract import contract
from harness import (Tap, check, equal, fetching, file_of, free_port, need_command, need_python, noise)
from programs import Server

# As the proxies are told, and as it stands in a URL.
USER, PASSWORD, LOGIN = "me", "pass word", "me:pass%20word@"


def few(fetch, url):
    """A little of everything: what is forwarded is the proxy's to frame anew, and not all can do all."""
    # pproxy lets go of more than this over TLS, whoever sends it.
    data = noise(1000)
    equal(len(fetch(f"{url}/bytes/100000", f"{url}/plain").stdout), 100_013, "content")
    check(fetch("-d", f"@{file_of(data)}", f"{url}/echo").stdout == data, "an echo")
    check(b"404" in fetch("-v", f"{url}/status/404").stderr, "a status")


def asked(fetch, port, scheme, login="", transparent=True):
    """In plain and over TLS, through a proxy, and what reaches it of that; everything where it looks at nothing."""
    made = certificates()
    with Tap(port) as tap, Server("serve") as server, server.secured(made) as secure:
        behind = fetch.behind(f"{scheme}://{login}localhost:{tap.port}").trusting(made)
        few(behind, f"http://localhost:{server.port}")
        few(behind, f"https://localhost:{secure.port}")
        if transparent:
            contract(behind, secure.port, "https")
        if transparent and scheme.startswith("socks"):
            contract(behind, server.port)
        return [link.sent for link in tap.links]


def refused(fetch, scheme, port):
    """Whoever does not know the password gets nothing."""
    with Server("serve") as server, Tap(server.port) as tap:
        for login in ("", "me:guessed@"):
            made = certificates()
            behind = fetch.behind(f"{scheme}://{login}localhost:{port}").trusting(made)
            behind.refused(f"https://localhost:{tap.port}/plain", status=3)
        equal(len(tap.links), 0, "connections to the origin")


@fetching("microsocks", "SOCKS 5: names resolved here and there, a password")
def _(fetch):
    program = need_command("microsocks", "microsocks")
    with origin(program, "-i", "127.0.0.1", "-p", "{port}") as port:
        asked(fetch, port, "socks5h")
        asked(fetch, port, "socks5")
    with origin(program, "-i", "127.0.0.1", "-p", "{port}", "-u", USER, "-P", PASSWORD) as port:
        asked(fetch, port, "socks5h", LOGIN)
        refused(fetch, "socks5h", port)
        fetch.behind(f"socks5h://{LOGIN}localhost:{port}").refused(f"http://localhost:{free_port()}/", status=3)


def pproxy(listen, *options):
    return origin(need_python("pproxy"), "-m", "pproxy", "-l", listen, *options)


@fetching("pproxy", "SOCKS 5, HTTP, and HTTP over TLS, with passwords")
def _(fetch):
    made = certificates()
    with pproxy("socks5+http://127.0.0.1:{port}#me:secret") as port:
        asked(fetch, port, "socks5h", "me:secret@", False)
        sent = asked(fetch, port, "http", "me:secret@", False)
        check(any(link.startswith(b"CONNECT ") for link in sent), "a tunnel for https", sent[-1][:200])
        check(any(link.startswith(b"GET http://") for link in sent), "absolute-form for http", sent[0][:200])
    # Whoever has said the password once need not say it again to it, so that nobody is refused.
    both = file_of(made.cert.read_bytes() + made.key.read_bytes(), "both")
    with pproxy("http+ssl://127.0.0.1:{port}#me:secret", "--ssl", both) as port:
        sent = asked(fetch, port, "https", "me:secret@", False)
        check(not any(b"HTTP" in link for link in sent), "nothing in plain", sent[0][:200])


@fetching("tinyproxy", "HTTP: requests are forwarded, tunnels made")
def _(fetch):
    program, port = need_command("tinyproxy", "tinyproxy-bin"), free_port()
    config = file_of(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nBasicAuth me secret\n".encode(), "tinyproxy")
    with origin(program, "-d", "-c", config, at=port) as port:
        asked(fetch, port, "http", "me:secret@", False)
        refused(fetch, "http", port)
