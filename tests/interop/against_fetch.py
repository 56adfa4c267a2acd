"""Scenes of the example clients against origins, in plain and over TLS."""

import contextlib
import http.server
import socket
import ssl
import sys
import threading
import time

from certificates import certificates, misnamed, strangers
from contract import contract
from harness import (EXAMPLES, HERE, Listener, Tap, check, equal, fetching, file_of, free_port, need_command,
                     need_program, need_python, noise, scratch, start, stop, wait_for)
from programs import Server
from proxies import haproxy, nginx, nginx_in_front


@contextlib.contextmanager
def origin(*command, patience=20, at=None, **options):
    """A program that serves at the port it is given as `{port}` in its command, or at the one that it has `at` hand."""
    port = at or free_port()
    child = start(*(str(word).format(port=port) for word in command), **options)
    try:
        wait_for(port, child, patience)
        yield port
    finally:
        stop(child)


# --- nginx -----------------------------------------------------------------------------------------------------------


def files():
    """A folder with files for an origin to serve, and the content of the big one."""
    folder = scratch / f"files-{time.monotonic_ns()}"
    folder.mkdir()
    big = noise(20_000_000)
    for name, content in (("small.txt", b"small\n"), ("empty.txt", b""), ("big.bin", big)):
        (folder / name).write_bytes(content)
    return folder, big


def static(fetch, port, scheme, big):
    with Tap(port) as tap:
        url = lambda path: tap.url(path, scheme)
        equal(fetch(url("/small.txt"), url("/empty.txt"), url("/small.txt")).stdout, b"small\n" * 2, "small files")
        link = tap.only()
        if scheme == "http":
            check(link.sent.startswith(b"GET /small.txt HTTP/1.1\r\n"), "the request-line", link.sent)
            equal(link.sent.lower().count(b"\r\nhost: 127.0.0.1:%d\r\n" % tap.port), 3, "Host")
        head = fetch("-v", "-X", "HEAD", url("/big.bin"))
        equal(head.stdout, b"", "content of HEAD")
        check(b"20000000" in head.stderr, "-v shows the head", head.stderr)
        missing = fetch("-v", url("/none"), url("/small.txt"))
        check(b"< 404" in missing.stderr and missing.stdout.endswith(b"small\n"), "-v shows the status")
        fetch("-o", scratch / "out.bin", url("/big.bin"))
        check((scratch / "out.bin").read_bytes() == big, "the big file, byte for byte")
        check(b"405" in fetch("-d", "x", url("/small.txt")).stdout, "a POST to a file is 405")
        ranged = fetch("-H", "Range: bytes=5-9", url("/big.bin"))
        equal(ranged.stdout, big[5:10], "a range")
        check(b"416" in fetch("-v", "-H", "Range: bytes=99999999-", url("/big.bin")).stderr, "a range that is not there")


@fetching("nginx", "static files, HEAD, 404, POST, a big file")
def _(fetch):
    folder, big = files()
    with nginx(lambda port: f"server {{ listen 127.0.0.1:{port}; root {folder}; }}") as port:
        static(fetch, port, "http", big)


@fetching("nginx", "TLS: static files, versions 1.2 and 1.3")
def _(fetch):
    (folder, big), made = files(), certificates()
    for version in ("TLSv1.2", "TLSv1.3"):
        with nginx(lambda port: f"""server {{
                listen 127.0.0.1:{port} ssl; root {folder}; ssl_protocols {version};
                ssl_certificate {made.cert}; ssl_certificate_key {made.key}; }}""") as port:
            static(fetch.trusting(made), port, "https", big)


@fetching("nginx", "as reverse proxy: everything that an origin may do; 502 for one that is gone")
def _(fetch):
    with Server("serve") as behind, nginx_in_front(behind.port) as port:
        contract(fetch, port)
    with nginx_in_front(free_port()) as port:
        check(b"< 502" in fetch("-v", f"http://127.0.0.1:{port}/").stderr, "an upstream that is not there")


@fetching("haproxy", "as reverse proxy: everything that an origin may do; 503 for one that is gone")
def _(fetch):
    # Its Expect: see in_front.py.
    with Server("serve") as behind, haproxy(behind.port) as port:
        contract(fetch, port, expects=False)
    with haproxy(free_port()) as port:
        check(b"< 503" in fetch("-v", f"http://127.0.0.1:{port}/").stderr, "an upstream that is not there")


@fetching("haproxy", "TLS: everything that an origin may do")
def _(fetch):
    made = certificates()
    both = file_of(made.cert.read_bytes() + made.key.read_bytes(), "both")
    with Server("serve") as behind, haproxy(behind.port, bind=f"ssl crt {both} alpn http/1.1") as port:
        contract(fetch.trusting(made), port, "https", expects=False)


# --- Python's servers ------------------------------------------------------------------------------------------------


@fetching("python", "http.server: an HTTP/1.0 answer to a 1.1 request")
def _(fetch):
    folder, big = files()
    with origin(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", folder, "{port}") as port:
        url = f"http://127.0.0.1:{port}"
        check(fetch(f"{url}/big.bin", f"{url}/small.txt").stdout == big + b"small\n", "two files")
        check(b"404" in fetch(f"{url}/none").stdout, "404 with its content")
        check(b"small.txt" in fetch(f"{url}/").stdout, "a listing")
        check(b"501" in fetch("-d", "x", f"{url}/").stdout, "a POST is 501")


class CloseDelimited(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"until the end")

    def log_message(self, *_):
        pass


@fetching("python", "http.server: content until the connection ends")
def _(fetch):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CloseDelimited) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            equal(fetch(f"http://127.0.0.1:{server.server_port}/").stdout, b"until the end", "content")
        finally:
            # Waits until the thread is done with the listener, which is closed next.
            server.shutdown()


# --- origins with the routes of `serve` ------------------------------------------------------------------------------


def gunicorn():
    return [need_python("gunicorn"), "-m", "gunicorn", "-k", "gthread", "--threads", "4", "--keep-alive", "30", "-b",
            "127.0.0.1:{port}", "origin:wsgi"]


def hypercorn():
    return [need_python("hypercorn"), "-m", "hypercorn", "-b", "127.0.0.1:{port}", "origin:asgi"]


def aiohttp():
    return [need_python("aiohttp"), "origin.py", "{port}"]


def node():
    return [need_command("node"), "origin.mjs", "{port}"]


def evhttp():
    return [need_program("evhttp_origin"), "{port}"]


def ours(name):
    return lambda: [EXAMPLES / name, "--port", "{port}"]


# Each with the options by which it is told a certificate and its key, if it can be.
ORIGINS = [
    ("gunicorn", gunicorn, ["--certfile", "--keyfile"]),
    ("hypercorn", hypercorn, ["--certfile", "--keyfile"]),
    ("aiohttp", aiohttp, ["--cert", "--key"]),
    ("node", node, ["--cert", "--key"]),
    ("libevent", evhttp, None),
    ("serve", ours("serve"), ["--cert", "--key"]),
    ("serve-async-std", ours("serve-async-std"), ["--cert", "--key"]),
]


def register(peer, command, options):
    @fetching(peer, "everything that an origin may do")
    def _(fetch):
        with origin(*command(), cwd=HERE / "peers") as port:
            contract(fetch, port)

    if options is None:
        return

    @fetching(peer, "TLS: everything that an origin may do")
    def _(fetch):
        made = certificates()
        with origin(*command(), options[0], made.cert, options[1], made.key, cwd=HERE / "peers") as port:
            contract(fetch.trusting(made), port, "https")


for peer, command, options in ORIGINS:
    register(peer, command, options)


@fetching("node", "103 Early Hints, trailers, fields")
def _(fetch):
    with origin(*node(), cwd=HERE / "peers") as port, Tap(port) as tap:
        hints = fetch("-v", tap.url("/hints"), tap.url("/trailers"))
        equal(hints.stdout, b"after the hintsbefore the trailers", "content after 103, and before trailers")
        check(b"103" in hints.stderr, "-v shows the interim response", hints.stderr)
        tap.only()
        equal(fetch("-X", "PUT", "-H", "X-Name: value", "-d", "abc", tap.url("/tell")).stdout, b"PUT value 3", "fields")


# --- openssl ---------------------------------------------------------------------------------------------------------


@fetching("openssl", "s_server: versions 1.2 and 1.3, content until the session ends")
def _(fetch):
    (folder, big), made = files(), certificates()
    for version in ("-tls1_2", "-tls1_3"):
        with origin(need_command("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:{port}", "-cert", made.cert,
                    "-key", made.key, "-WWW", version, cwd=folder) as port:
            url = f"https://127.0.0.1:{port}"
            seen = fetch.trusting(made)(f"{url}/small.txt", f"{url}/big.bin", f"https://localhost:{port}/small.txt").stdout
            check(seen == b"small\n" + big + b"small\n", "three files", len(seen))


@fetching("openssl", "s_server: what cannot be trusted is not asked")
def _(fetch):
    folder, _ = files()
    for made, host, known in ((strangers(), "127.0.0.1", certificates()), (misnamed(), "localhost", misnamed())):
        with origin(need_command("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:{port}", "-cert", made.cert,
                    "-key", made.key, "-WWW", cwd=folder) as port, Tap(port) as tap:
            failed = fetch.trusting(known).refused(f"https://{host}:{tap.port}/small.txt", status=3)
            check(b"certificate" in failed.stderr.lower(), "the message names the certificate", failed.stderr)
            equal(len(tap.links), 1, "attempts: what is wrong with a certificate does not pass")
    with origin(need_command("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:{port}", "-cert",
                certificates().cert, "-key", certificates().key, "-WWW", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0",
                cwd=folder) as port:
        fetch.trusting(certificates()).refused(f"https://127.0.0.1:{port}/small.txt", status=3)


# --- origins by hand -----------------------------------------------------------------------------------------------


class Origin:
    """Answers each connection with these bytes once a head has come, and closes it; a session of TLS without its end."""

    def __init__(self, answer, hold=0.0, made=None):
        self.answer, self.hold = answer, hold
        self.context = made and ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if made:
            self.context.load_cert_chain(made.cert, made.key)
        self.over = threading.Event()
        self.listener = Listener(self._serve)
        self.url = f"{'https' if made else 'http'}://127.0.0.1:{self.listener.port}/"

    def _serve(self, peer):
        with peer, contextlib.suppress(OSError):
            # A client that says nothing does not keep the scene from its end.
            peer.settimeout(10)
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
            with peer:
                seen = b""
                while b"\r\n\r\n" not in seen and (piece := peer.recv(1 << 16)):
                    seen += piece
                peer.sendall(self.answer)
                self.over.wait(self.hold)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.close()


@fetching("raw", "truncated content is a failure, surplus bytes are not")
def _(fetch):
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Le", b"", b"nonsense\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"):
        with Origin(answer) as origin:
            fetch.refused(origin.url)
    with Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello surplus") as origin:
        equal(fetch(origin.url).stdout, b"hello", "content")


@fetching("raw", "TLS: content until a session ends that is not ended is a failure")
def _(fetch):
    made = certificates()
    fetch = fetch.trusting(made)
    with Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", made=made) as origin:
        equal(fetch(origin.url).stdout, b"hello", "content of a length that is told")
    with Origin(b"HTTP/1.1 200 OK\r\n\r\nhello", made=made) as origin:
        fetch.refused(origin.url, status=5)
    with Origin(b"HTTP/1.1 200 OK\r\n\r\nhello") as origin:
        fetch.refused(origin.url.replace("http:", "https:"), status=3)


@fetching("raw", "refused, retried, timed out")
def _(fetch):
    port = free_port()
    fetch.refused(f"http://127.0.0.1:{port}/")
    with Origin(b"", hold=20) as origin:
        began = time.monotonic()
        fetch.refused("--timeout", "1", origin.url)
        check(time.monotonic() - began < 4, "--timeout 1 took too long", time.monotonic() - began)
    holder = []
    timer = threading.Timer(1.0, lambda: holder.append(start(
        sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", scratch, port)))
    timer.start()
    check(fetch("--retry", "5", f"http://127.0.0.1:{port}/").stdout, "an answer after retries")
    timer.join()
    stop(holder[0])
