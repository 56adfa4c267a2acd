"""Scenes of clients against the example servers, in plain."""

import signal
import socket
import sys
import time

import harness
from harness import (HERE, INSTALLED, PATIENCE, Failed, Tap, check, equal, exchange, file_of, need_command, need_npm,
                     need_program, need_python, noise, read_all, run, serving, sizes)

HELLO = b"Hello, World!"


# --- curl ----------------------------------------------------------------------------------------------------------


def curl(*arguments, **options):
    return run(need_command("curl", "curl"), "-sS", "-m", str(PATIENCE), *arguments, **options).stdout


@serving("curl", "two requests on one connection")
def _(server):
    with Tap(server.port) as tap:
        equal(curl(tap.url("/plain"), tap.url("/plain")), HELLO * 2, "content")
        first, _ = read_all(tap.only().received, "GET", "GET")
        equal(first.get("content-length"), "13", "Content-Length")
        check(first.get("content-type") and first.get("date"), "Content-Type and Date", first.fields)


@serving("curl", "content of many sizes, both framings")
def _(server):
    with Tap(server.port) as tap:
        for size in sizes():
            for kind, framing in (("bytes", "length"), ("chunked", "chunked")):
                tap.links.clear()
                equal(len(curl(tap.url(f"/{kind}/{size}"))), size, f"length of /{kind}/{size}")
                (response,) = read_all(tap.only().received, "GET")
                equal((response.status, response.framing, len(response.content)), (200, framing, size), kind)


@serving("curl", "--raw shows chunks to the letter")
def _(server):
    with Tap(server.port) as tap:
        raw = curl("--raw", tap.url("/chunked/40000"))
        check(raw.startswith(b"4000\r\n") and raw.endswith(b"\r\n0\r\n\r\n"), "chunks of 16 KiB", raw[:20], raw[-20:])
        (response,) = read_all(tap.only().received, "GET")
        check(tap.only().received.endswith(raw), "the wire has the same chunks")
        equal(len(response.content), 40000, "content")


@serving("curl", "uploads of many sizes to /echo and /sink, by length and chunked")
def _(server):
    for size in sizes():
        data = noise(size)
        path = file_of(data)
        for extra in (["--data-binary", f"@{path}"], ["-X", "POST", "-T", "-"]):
            stdin = data if "-T" in extra else b""
            if stdin == b"" and "-T" in extra:
                continue
            url = f"http://127.0.0.1:{server.port}"
            check(curl(*extra, f"{url}/echo", stdin=stdin) == data, f"/echo gives {size} bytes back ({extra[0]})")
            equal(curl(*extra, f"{url}/sink", stdin=stdin), str(size).encode(), f"/sink counts ({extra[0]})")


@serving("curl", "Expect: 100-continue is answered before content comes")
def _(server):
    data = noise(50_000)
    for path, expected in (("/echo", data), ("/sink", b"50000"), ("/other", b"POST /other\n" + data)):
        with Tap(server.port) as tap:
            began = time.monotonic()
            seen = curl("-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary",
                        f"@{file_of(data)}", tap.url(path))
            check(seen == expected, f"content of {path}", seen[:100])
            check(time.monotonic() - began < 5, "it took too long", time.monotonic() - began)
            link = tap.only()
            before = b""
            for way, piece in link.log:
                if way == "<":
                    break
                before += piece
            check(before.endswith(b"\r\n\r\n"), "content was sent before 100", before[-50:])
            equal(link.received.count(b"HTTP/1.1 100 Continue\r\n\r\n"), 1, "interim responses")


@serving("curl", "HEAD tells the length of GET, and the connection goes on")
def _(server):
    for path, length in (("/plain", "13"), ("/bytes/1000", "1000"), ("/bytes/0", "0"), ("/some/where", "16")):
        with Tap(server.port) as tap:
            curl("-I", tap.url(path), "--next", "-sS", tap.url("/plain"))
            head, plain = read_all(tap.only().received, "HEAD", "GET")
            equal((head.status, head.get("content-length")), (200, length), path)
            equal(plain.content, HELLO, "GET after HEAD")


@serving("curl", "HTTP/1.0 gets no chunks")
def _(server):
    for path, size in (("/plain", 13), ("/bytes/70000", 70000), ("/chunked/70000", 70000)):
        with Tap(server.port) as tap:
            equal(len(curl("--http1.0", tap.url(path))), size, path)
            (response,) = read_all(tap.only().received, "GET", ended=True)
            equal(response.get("transfer-encoding"), None, "Transfer-Encoding")


@serving("curl", "everything else comes back as it was sent")
def _(server):
    url = f"http://127.0.0.1:{server.port}"
    equal(curl(f"{url}/a/b?c=%20d"), b"GET /a/b?c=%20d\n", "GET")
    equal(curl("-X", "DELETE", "-d", "why", f"{url}/x"), b"DELETE /x\nwhy", "DELETE")
    equal(curl("-X", "PROPFIND", f"{url}/dav"), b"PROPFIND /dav\n", "PROPFIND")
    equal(curl("-X", "PUT", "-T", "-", f"{url}/put", stdin=b"abc"), b"PUT /put\nabc", "PUT")
    equal(curl("-X", "OPTIONS", "--request-target", "*", url), b"OPTIONS *\n", "OPTIONS *")
    equal(curl(f"{url}/echo"), b"GET /echo\n", "GET /echo is no route")
    equal(curl("-d", "x", f"{url}/echo/x"), b"POST /echo/x\nx", "POST /echo/x is no route")
    equal(curl("-x", url, "http://example.com/abs?q"), b"GET http://example.com/abs?q\n", "absolute form")


@serving("curl", "errors keep the connection; content that is cut short is not taken for whole")
def _(server):
    with Tap(server.port) as tap:
        paths = ["/status/400", "/status/404", "/status/503", "/plain"]
        equal(curl(*map(tap.url, paths)), b"status 400\nstatus 404\nstatus 503\n" + HELLO, "content")
        equal([r.status for r in read_all(tap.only().received, *["GET"] * 4)], [400, 404, 503, 200], "status")
    url = f"http://127.0.0.1:{server.port}"
    curl("-f", f"{url}/status/404", status=22)
    for path in ("/cut/0", "/cut/100000", "/cut-chunked/0", "/cut-chunked/100000"):
        curl("-o", "/dev/null", f"{url}{path}", status=18)
    large = file_of(noise(8 << 20))
    refusal = curl("-H", "Expect:", "--data-binary", f"@{large}", f"{url}/status/413",
                   "--next", "-sS", f"{url}/plain")
    equal(refusal, b"status 413\n" + HELLO, "an early error, and a request behind it")
    # A client that leaves in the middle of either content harms nobody else.
    curl("--limit-rate", "100k", "-m", "0.3", "-o", "/dev/null", f"{url}/bytes/100000000", status=28)
    curl("--limit-rate", "100k", "-m", "0.3", "--data-binary", f"@{large}", f"{url}/sink", status=28)
    equal(curl(f"{url}/plain"), HELLO, "others are served")


# --- bytes by hand -------------------------------------------------------------------------------------------------


def request(target, method="GET", *fields, content=b""):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + content


@serving("raw", "twenty pipelined requests are answered in order")
def _(server):
    targets = [f"/number/{n}" for n in range(19)]
    data = b"".join(request(target) for target in targets) + request("/plain", "GET", "Connection: close")
    responses = read_all(exchange(server.port, data), *["GET"] * 20)
    equal([r.content for r in responses], [f"GET {t}\n".encode() for t in targets] + [HELLO], "content")
    equal(responses[-1].get("connection"), "close", "Connection of the last")


@serving("raw", "pipelined uploads, lengths and chunks mixed")
def _(server):
    data = (request("/echo", "POST", "Content-Length: 5", content=b"first")
            + request("/echo", "POST", "Transfer-Encoding: chunked", content=b"3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nT: v\r\n\r\n")
            + request("/sink", "POST", "Connection: close", "Content-Length: 3", content=b"abc"))
    seen = [r.content for r in read_all(exchange(server.port, data), "POST", "POST", "POST")]
    equal(seen, [b"first", b"second", b"3"], "content")


@serving("raw", "one byte at a time")
def _(server):
    data = request("/echo", "POST", "Transfer-Encoding: chunked", "Connection: close", content=b"2\r\nab\r\n0\r\n\r\n")
    (response,) = read_all(exchange(server.port, data, pace=0.001), "POST", ended=True)
    equal(response.content, b"ab", "content")


@serving("raw", "a client that shuts down its half is answered")
def _(server):
    (response,) = read_all(exchange(server.port, request("/bytes/300000"), half_close=True), "GET", ended=True)
    equal(len(response.content), 300000, "content")


@serving("raw", "CONNECT is 501, and what is not HTTP is refused")
def _(server):
    cases = [
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nConnection: close\r\n\r\n", 501),
        (b"GET /plain HTTP/1.1\r\n\r\n", 400),
        (b"GET /plain HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /pl ain HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /plain HTTP/1.1\nHost: a\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ]
    for data, status in cases:
        (response,) = read_all(exchange(server.port, data, half_close=True), "GET", ended=True)
        equal(response.status, status, f"status for {data[:60]!r}")


def terminate(server):
    """Open connections, one of them in the middle of a request, do not keep the server from ending."""
    idle = socket.create_connection(("127.0.0.1", server.port))
    busy = socket.create_connection(("127.0.0.1", server.port))
    with idle, busy:
        idle.sendall(request("/plain"))
        check(idle.recv(1000).endswith(HELLO), "an answer before the end")
        busy.sendall(request("/sink", "POST", "Content-Length: 1000", content=b"part"))
        time.sleep(0.1)
        began = time.monotonic()
        server.child.send_signal(signal.SIGTERM)
        try:
            server.child.wait(PATIENCE)
        except Exception:
            raise Failed("SIGTERM does not end it") from None
        check(time.monotonic() - began < 2.2, "too late", time.monotonic() - began)


# --- other clients -------------------------------------------------------------------------------------------------


@serving("wget", "two files and a post on one connection each")
def _(server):
    wget = need_command("wget", "wget")
    with Tap(server.port) as tap:
        seen = run(wget, "-q", "-T10", "-t1", "-O-", tap.url("/bytes/100000"), tap.url("/chunked/100000"), tap.url("/plain")).stdout
        equal(len(seen), 200013, "content")
        read_all(tap.only().received, "GET", "GET", "GET")
    data = noise(100_000)
    seen = run(wget, "-q", "-T10", "-t1", "-O-", f"--post-file={file_of(data)}", f"http://127.0.0.1:{server.port}/echo").stdout
    check(seen == data, "the echo", seen[:100])
    run(wget, "-q", "-T10", "-t1", "--spider", f"http://127.0.0.1:{server.port}/bytes/5")


@serving("wget", "errors, cut content, and what follows")
def _(server):
    with Tap(server.port) as tap:
        paths = ("/status/404", "/plain", "/status/503", "/plain")
        seen = run(need_command("wget", "wget"), "-q", "-T10", "-t1", "-O-", *map(tap.url, paths), status=8).stdout
        equal(seen, HELLO * 2, "content without that of errors")
        for path in ("/cut/1000", "/cut-chunked/1000"):
            run(need_command("wget", "wget"), "-q", "-T10", "-t1", "-O/dev/null", tap.url(path), status=4)


def client_program(command, expected_links, told=lambda tap: [tap.url("")]):
    """A program of peers/ that asks for everything and prints ok; `told` is what it is told of the server."""
    def scene(server):
        with Tap(server.port) as tap:
            seen = run(*command(), *told(tap)).stdout
            equal(seen.strip(), b"ok", "client")
            check(len(tap.links) in expected_links, "connections", len(tap.links))
    return scene


def python_client(library, *packages):
    python = need_python(*packages) if packages else sys.executable
    return [python, HERE / "peers" / "clients.py", library]


def node_client():
    return [need_command("node"), HERE / "peers" / "client.mjs"]


def undici_client():
    node, script = need_command("node"), need_npm("undici@7") / "undici.mjs"
    script.write_bytes((HERE / "peers" / "undici.mjs").read_bytes())
    return [node, script]


# One connection, and another one for each time that it was cut or had to be given up: cut twice, and after 414.
FEW = range(3, 5)
EVERYTHING = "keep-alive, chunks both ways, large content, errors, cut content"
serving("python", f"http.client: {EVERYTHING}")(client_program(lambda: python_client("http.client"), FEW))
serving("httpx", f"h11: {EVERYTHING}")(client_program(lambda: python_client("httpx", "httpx"), FEW))
serving("aiohttp", f"{EVERYTHING}, waits for 100")(client_program(lambda: python_client("aiohttp", "aiohttp"), FEW))
serving("node", f"http and fetch: {EVERYTHING}, 20 at once")(client_program(node_client, range(22, 30)))
serving("libevent", f"evhttp: {EVERYTHING}")(
    client_program(lambda: [need_program("evhttp_client")], FEW, lambda tap: [tap.port]))


@serving("undici", "five pipelined at a time, errors, cut content")
def _(server):
    with Tap(server.port) as tap:
        equal(run(*undici_client(), tap.url("")).stdout.strip(), b"ok", "client")
        link = tap.links[0]
        waiting, most = 0, 0
        for way, piece in link.log:
            waiting += piece.count(b" HTTP/1.1\r\n") if way == ">" else -piece.count(b"HTTP/1.1 ")
            most = max(most, waiting)
        check(2 <= most <= 5, "requests in flight", most)


@serving("wrk", "64 connections, no error")
def _(server):
    seconds = 2 if harness.QUICK else 4
    for path in ("/plain", "/bytes/100000", "/chunked/100000"):
        out = run(need_command("wrk", "wrk"), "-t1", "-c64", f"-d{seconds}s", f"http://127.0.0.1:{server.port}{path}").stdout.decode()
        check("Socket errors" not in out and "Non-2xx" not in out, f"{path} went wrong", out)
        requests = int(out.split(" requests in")[0].split()[-1])
        check(requests > 500, "too few requests", out)


@serving("ab", "HTTP/1.0 with keep-alive")
def _(server):
    with Tap(server.port) as tap:
        out = run(need_command("ab", "apache2-utils"), "-q", "-k", "-n500", "-c8", tap.url("/plain")).stdout.decode()
        figures = {name.strip(): value.split()[0] for name, _, value in (line.partition(":") for line in out.splitlines()) if value.strip()}
        equal((figures["Complete requests"], figures["Failed requests"], figures.get("Keep-Alive requests")), ("500", "0", "500"), "figures")
        check(len(tap.links) <= 9, "connections", len(tap.links))
