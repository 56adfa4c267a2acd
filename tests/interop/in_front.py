"""Scenes of proxies in front of the example servers."""

from against_serve import HELLO, curl
from certificates import certificates
from harness import Tap, check, equal, exchange, file_of, noise, serving
from proxies import haproxy, nginx_in_front

# When 100 and a chunked final head come in one segment, HAProxy 2.6 drops the content, whichever server sent them.
NO_EXPECT = ["-H", "Expect:"]


def through(front, *upload, scheme="http", options=()):
    """What any client is to get through a proxy."""
    ask = lambda path, *more, **how: curl(*options, *more, f"{scheme}://127.0.0.1:{front}{path}", **how)
    for _ in range(5):
        equal(ask("/plain"), HELLO, "GET")
    for path, size in (("/bytes/1000000", 1_000_000), ("/chunked/1000000", 1_000_000), ("/bytes/0", 0)):
        equal(len(ask(path)), size, path)
    data = noise(300_000)
    check(ask("/echo", *upload, "-X", "POST", "-T", "-", stdin=data) == data, "a chunked echo")
    equal(ask("/sink", *upload, "--data-binary", f"@{file_of(data)}"), b"300000", "a sized upload")
    check(b"content-length: 13" in ask("/plain", "-I").lower(), "HEAD")
    equal(ask("/x?y", "-X", "DELETE"), b"DELETE /x?y\n", "DELETE")
    for status in (400, 404, 503):
        equal(ask(f"/status/{status}"), f"status {status}\n".encode(), f"status {status}")


def cuts(front, scheme="http", options=()):
    """Content that the server cuts short is cut short for the client as well, and the next one is served."""
    for path in ("/cut/100000", "/cut-chunked/100000"):
        done = curl(*options, "-o", "/dev/null", "-w", "%{exitcode}", f"{scheme}://127.0.0.1:{front}{path}", status=None)
        check(done in (b"18", b"56"), f"{path} through the proxy", done)
        equal(curl(*options, f"{scheme}://127.0.0.1:{front}/plain"), HELLO, "what follows")


def kept(tap):
    check(len(tap.links) <= 3, "connections from proxy to server are kept", len(tap.links))


@serving("nginx", "as reverse proxy in front, keeping connections")
def _(server):
    with Tap(server.port) as tap, nginx_in_front(tap.port) as front:
        through(front)
        kept(tap)
        cuts(front)


@serving("haproxy", "as reverse proxy in front, keeping connections")
def _(server):
    with Tap(server.port) as tap, haproxy(tap.port) as front:
        through(front, *NO_EXPECT)
        kept(tap)
        cuts(front)


def trusting(server, secured=False):
    proxies = ["--proxy-protocol", "10.0.0.0/8,127.0.0.1"]
    if not secured:
        return server.beside(*proxies)
    made = certificates()
    return server.beside(*proxies, "--cert", made.cert, "--key", made.key)


def told(front, options=()):
    """The address that the server tells is that of the client, and not the proxy's."""
    for address in ("127.0.0.5", "127.0.0.77"):
        seen = curl(*options, "--interface", address, "-w", "%{local_port}", f"http://127.0.0.1:{front}/peer")
        said, _, port = seen.decode().partition("\n")
        equal(said, f"{address}:{port}", "the client's address at the server")


@serving("haproxy", "PROXY protocol, versions 1 and 2")
def _(server):
    with trusting(server) as behind:
        for option in ("send-proxy", "send-proxy-v2"):
            with Tap(behind.port) as tap, haproxy(tap.port, option) as front:
                told(front)
                beginning = tap.links[0].sent[:12]
                expected = b"PROXY TCP4 1" if option == "send-proxy" else b"\r\n\r\n\0\r\nQUIT\n"
                equal(beginning, expected, option)
                through(front, *NO_EXPECT)
                cuts(front)


@serving("haproxy", "PROXY protocol in front of TLS")
def _(server):
    with trusting(server, secured=True) as behind:
        for option in ("send-proxy", "send-proxy-v2"):
            with haproxy(behind.port, f"{option} ssl verify required ca-file {certificates().ca}") as front:
                told(front)
                through(front, *NO_EXPECT)
                cuts(front)


@serving("raw", "PROXY protocol: from the trusted alone, and from them always")
def _(server):
    ask = b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    header = b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n"
    with trusting(server) as behind:
        check(exchange(behind.port, header + ask).endswith(b"\r\n\r\n192.0.2.7:50000\n"), "the address told")
        check(exchange(behind.port, b"PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n" + ask)
              .endswith(b"\r\n\r\n[2001:db8::7]:50000\n"), "an address of version 6")
        check(exchange(behind.port, header + ask, pace=0.0005).endswith(b"192.0.2.7:50000\n"), "byte by byte")
        check(b"\r\n\r\n127.0.0.1:" in exchange(behind.port, b"PROXY UNKNOWN\r\n" + ask), "nobody is spoken for")
        for data in (ask, b"PROXY TCP4 192.0.2.7\r\n" + ask, b"\x16\x03\x01" + ask):
            equal(exchange(behind.port, data, half_close=True), b"", "no header, no answer")
    with server.beside("--proxy-protocol", "10.0.0.0/8") as behind:
        check(exchange(behind.port, header + ask, half_close=True).startswith(b"HTTP/1.1 400 "), "a stranger's header")
        check(b"\r\n\r\n127.0.0.1:" in exchange(behind.port, ask), "a stranger's own address")
