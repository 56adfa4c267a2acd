"""Scenarios of the example client against origins."""

import http.server
import socket
import sys
import threading
import time

from against_serve import NGINX_BASE
from harness import (EXAMPLES, HERE, Tap, check, equal, file_of, free_port, need_command, need_python, noise, run,
                     scratch, start, stop, wait_for)

SCENARIOS = []


def scenario(peer, name):
    return lambda function: SCENARIOS.append((peer, name, function)) or function


def fetch(*arguments, status=0):
    return run(EXAMPLES / "fetch", *arguments, status=status)


def refused(*arguments):
    """A fetch that must fail, with a message; returns it."""
    done = fetch(*arguments, status=None)
    check(done.returncode not in (0, 101) and done.stderr.strip(), "a failure with a message", done.returncode, done.stderr)
    return done


# --- nginx -----------------------------------------------------------------------------------------------------------


@scenario("nginx", "static files, HEAD, 404, POST, a big file")
def _():
    port, folder = free_port(), scratch / f"origin-{time.monotonic_ns()}"
    (folder / "files").mkdir(parents=True)
    big = noise(20_000_000)
    for name, content in (("small.txt", b"small\n"), ("empty.txt", b""), ("big.bin", big)):
        (folder / "files" / name).write_bytes(content)
    config = folder / "nginx.conf"
    config.write_text(NGINX_BASE.format(folder=folder) + f"""
        server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}""")
    child = start(need_command("nginx", "nginx-light"), "-e", folder / "error.log", "-c", config)
    wait_for(port, child)
    with Tap(port) as tap:
        equal(fetch(tap.url("/small.txt")).stdout, b"small\n", "a small file")
        check(tap.only().sent.startswith(b"GET /small.txt HTTP/1.1\r\n"), "the request-line", tap.only().sent)
        equal(tap.only().sent.lower().count(b"\r\nhost: 127.0.0.1:%d\r\n" % tap.port), 1, "Host")
        equal(fetch(tap.url("/empty.txt")).stdout, b"", "an empty file")
        head = fetch("-v", "-X", "HEAD", tap.url("/big.bin"))
        equal(head.stdout, b"", "content of HEAD")
        check(b"20000000" in head.stderr, "-v shows the head", head.stderr)
        check(b"404" in fetch("-v", tap.url("/none")).stderr, "-v shows the status")
        fetch("-o", scratch / "out.bin", tap.url("/big.bin"))
        check((scratch / "out.bin").read_bytes() == big, "the big file, byte for byte")
        check(b"405" in fetch("-d", "x", tap.url("/small.txt")).stdout, "a POST to a file is 405")
        ranged = fetch("-H", "Range: bytes=5-9", tap.url("/big.bin"))
        equal(ranged.stdout, big[5:10], "a range")
    stop(child)


# --- Python's server -----------------------------------------------------------------------------------------------


@scenario("python", "http.server: an HTTP/1.0 answer to a 1.1 request")
def _():
    folder = scratch / f"files-{time.monotonic_ns()}"
    folder.mkdir()
    data = noise(500_000)
    (folder / "data").write_bytes(data)
    port = free_port()
    child = start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", folder, port)
    wait_for(port, child)
    url = f"http://127.0.0.1:{port}"
    check(fetch(f"{url}/data").stdout == data, "a file")
    check(b"404" in fetch(f"{url}/none").stdout, "404 with its content")
    check(b"data" in fetch(f"{url}/").stdout, "a listing")
    stop(child)


class CloseDelimited(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"until the end")

    def log_message(self, *_):
        pass


@scenario("python", "http.server: content until the connection ends")
def _():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CloseDelimited) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        equal(fetch(f"http://127.0.0.1:{server.server_port}/").stdout, b"until the end", "content")
        server.shutdown()


def wsgi(module, name, *command):
    def scene():
        python = need_python(module)
        port = free_port()
        child = start(python, "-m", *command, f"127.0.0.1:{port}", "origin:" + name, cwd=HERE / "peers")
        wait_for(port, child, 20)
        url = f"http://127.0.0.1:{port}"
        equal(fetch(f"{url}/hello").stdout, b"one two three", "chunks")
        data = noise(200_000)
        check(fetch("-d", f"@{file_of(data)}", f"{url}/echo").stdout == data, "an echo")
        stop(child)
    return scene


SCENARIOS += [
    ("gunicorn", "chunks and an echo", wsgi("gunicorn", "wsgi", "gunicorn", "-b")),
    ("hypercorn", "chunks and an echo, empty reason phrase", wsgi("hypercorn", "asgi", "hypercorn", "-b")),
]


# --- node ------------------------------------------------------------------------------------------------------------


@scenario("node", "103 Early Hints, chunks, trailers, uploads with Expect")
def _():
    port = free_port()
    child = start(need_command("node"), HERE / "peers" / "origin.mjs", port)
    wait_for(port, child)
    with Tap(port) as tap:
        hints = fetch("-v", tap.url("/hints"))
        equal(hints.stdout, b"after the hints", "content after 103")
        check(b"103" in hints.stderr, "-v shows the interim response", hints.stderr)
        equal(fetch(tap.url("/trailers")).stdout, b"before the trailers", "content before trailers")
        data = noise(300_000)
        check(fetch("-d", f"@{file_of(data)}", tap.url("/echo")).stdout == data, "an echo")
        check(fetch("-H", "Expect: 100-continue", "-d", f"@{file_of(data)}", tap.url("/echo")).stdout == data, "Expect")
        equal(fetch("-X", "PUT", "-H", "X-Name: value", "-d", "abc", tap.url("/tell")).stdout, b"PUT value 3", "fields")
    stop(child)


# --- origins by hand -----------------------------------------------------------------------------------------------


class Origin:
    """Answers each connection with these bytes once a head has come, and closes it."""

    def __init__(self, answer, hold=0.0):
        self.answer, self.hold = answer, hold
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                seen = b""
                while b"\r\n\r\n" not in seen and (piece := peer.recv(1 << 16)):
                    seen += piece
                peer.sendall(self.answer)
                time.sleep(self.hold)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


@scenario("raw", "truncated content is a failure, surplus bytes are not")
def _():
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Le", b"", b"nonsense\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"):
        with Origin(answer) as origin:
            refused(origin.url)
    with Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello surplus") as origin:
        equal(fetch(origin.url).stdout, b"hello", "content")


@scenario("raw", "refused, retried, timed out")
def _():
    port = free_port()
    refused(f"http://127.0.0.1:{port}/")
    with Origin(b"", hold=20) as origin:
        began = time.monotonic()
        refused("--timeout", "1", origin.url)
        check(time.monotonic() - began < 4, "--timeout 1 took too long", time.monotonic() - began)
    holder = []
    timer = threading.Timer(1.0, lambda: holder.append(start(
        sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", scratch, port)))
    timer.start()
    check(fetch("--retry", "5", f"http://127.0.0.1:{port}/").stdout, "an answer after retries")
    timer.join()
    stop(holder[0])
