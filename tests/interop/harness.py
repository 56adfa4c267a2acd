"""What the scenes stand on: processes that end with us, a recording tap, and a strict reader of responses."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "interop"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
EXAMPLES = TARGET / "release" / "examples"
INSTALLED = TARGET / "interop"
PATIENCE = 30


class Failed(Exception):
    """A scenario went otherwise than it should."""


class Missing(Exception):
    """A peer cannot be had."""


# What is there to run: (peer, name, function). Those of servers are given a `Server` of programs.py, those of clients a
# `Client`.
SERVER_SCENES, CLIENT_SCENES = [], []
QUICK = False


def serving(peer, name):
    return lambda scene: SERVER_SCENES.append((peer, name, scene)) or scene


def fetching(peer, name):
    return lambda scene: CLIENT_SCENES.append((peer, name, scene)) or scene


def sizes():
    return [0, 1, 1000, 65_536] if QUICK else [0, 1, 17, 1000, 16_384, 65_535, 65_537, 300_000, 1 << 20, 10 << 20]


def check(holds, what, *seen):
    if not holds:
        raise Failed(what + "".join(f"; saw {shown(value)}" for value in seen))


def equal(seen, expected, what):
    check(seen == expected, f"{what}: expected {shown(expected)}", seen)


def shown(value, most=200):
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(value) if hasattr(value, '__len__') else '?'})"


# --- processes ---------------------------------------------------------------------------------------------------

_children = []
scratch = pathlib.Path(tempfile.mkdtemp(prefix="interop-"))


def start(*command, **options):
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.DEVNULL)
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, start_new_session=True, **options)
    _children.append(child)
    return child


def stop(child):
    if child in _children:
        _children.remove(child)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def stop_all():
    for child in list(_children):
        stop(child)
    shutil.rmtree(scratch, ignore_errors=True)


def run(*command, stdin=b"", patience=PATIENCE, status=0):
    """Runs to the end; returns the finished process with its output as bytes."""
    child = start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) if stdin == b"" else None
    if child is None:
        child = subprocess.Popen([str(w) for w in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
        _children.append(child)
    try:
        out, err = child.communicate(stdin or None, timeout=patience)
    except subprocess.TimeoutExpired:
        stop(child)
        raise Failed(f"{command[0]} did not end within {patience} s") from None
    stop(child)
    if status is not None:
        check(child.returncode == status, f"{command[0]} ended with {child.returncode}, not {status}", err[-300:])
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, child, patience=10):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if child.poll() is not None:
            raise Failed(f"{child.args[0]} ended with {child.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"{child.args[0]} does not listen")


class Listener:
    """Accepts in a thread of its own, and gives each connection to `serve` there, until it is closed."""

    def __init__(self, serve):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self._serve = serve
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self._serve(peer)

    def close(self):
        # Closed alone, the number of its file could be another's listener while the thread still accepts on it.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


# --- a tap -------------------------------------------------------------------------------------------------------


class Link:
    """One connection through a tap: what went which way, in order."""

    def __init__(self):
        self.log = []
        self.lock = threading.Lock()

    def bytes(self, way):
        with self.lock:
            return b"".join(piece for direction, piece in self.log if direction == way)

    @property
    def sent(self):
        return self.bytes(">")

    @property
    def received(self):
        return self.bytes("<")


class Tap:
    """A forwarder that counts and records connections."""

    def __init__(self, port):
        self.upstream = port
        self.links = []
        self.listener = Listener(self._forward)
        self.port = self.listener.port

    def _forward(self, peer):
        link = Link()
        self.links.append(link)
        try:
            there = socket.create_connection(("127.0.0.1", self.upstream), 10)
        except OSError:
            peer.close()
            return
        for sock in (peer, there):
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Neither socket is closed before the last thread that uses it lets go of it.
        for way, source, drain in ((">", peer, there), ("<", there, peer)):
            threading.Thread(target=self._copy, args=(link, way, source, drain), daemon=True).start()

    @staticmethod
    def _copy(link, way, source, drain):
        try:
            while piece := source.recv(1 << 16):
                with link.lock:
                    link.log.append((way, piece))
                drain.sendall(piece)
        except OSError:
            pass
        try:
            drain.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def only(self):
        equal(len(self.links), 1, "connections")
        return self.links[0]


# --- a strict reader of responses ----------------------------------------------------------------------------------


class Response:
    def __init__(self, status, fields, content, framing):
        self.status, self.fields, self.content, self.framing = status, fields, content, framing

    def get(self, name):
        values = [value for key, value in self.fields if key == name]
        check(len(values) <= 1, f"{name} more than once", values)
        return values[0] if values else None


STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e]*)\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ ]([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?\Z")


def read_response(data, method="GET", ended=False):
    """The first response of `data`, read by RFC 9112 to the letter, and what is behind it."""
    head, blank, rest = data.partition(b"\r\n\r\n")
    check(blank, "no complete head", data[:200])
    lines = head.split(b"\r\n")
    line = STATUS_LINE.match(lines[0])
    check(line, "a bad status line", lines[0])
    status = int(line[1])
    fields = []
    for text in lines[1:]:
        field = FIELD_LINE.match(text)
        check(field, "a bad field line", text)
        fields.append((field[1].decode().lower(), (field[2] or b"").decode()))
    response = Response(status, fields, b"", "none")
    length, coding = response.get("content-length"), response.get("transfer-encoding")
    check(length is None or coding is None, "both Content-Length and Transfer-Encoding")
    if status < 200 or status == 204:
        check(length is None and coding is None, f"framing fields in {status}")
        return response, rest
    if status == 304 or method == "HEAD":
        return response, rest
    if coding is not None:
        equal(coding.lower(), "chunked", "Transfer-Encoding")
        response.framing = "chunked"
        response.content, rest = read_chunks(rest)
    elif length is not None:
        check(re.fullmatch("[0-9]+", length), "a bad Content-Length", length)
        response.framing = "length"
        size = int(length)
        check(len(rest) >= size, f"{size} bytes announced", len(rest))
        response.content, rest = rest[:size], rest[size:]
    else:
        check(ended, "content until close on a connection that is kept")
        response.framing = "close"
        response.content, rest = rest, b""
    return response, rest


def read_chunks(data):
    content, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        check(end > at and re.fullmatch(rb"[0-9A-Fa-f]+", data[at:end]), "a bad chunk-size line", data[at:at + 20])
        size, at = int(data[at:end], 16), end + 2
        if size == 0:
            while (end := data.find(b"\r\n", at)) > at:
                check(FIELD_LINE.match(data[at:end]), "a bad trailer line", data[at:end])
                at = end + 2
            equal(data[at:at + 2], b"\r\n", "the end of the chunks")
            return b"".join(content), data[at + 2:]
        content.append(data[at:at + size])
        check(len(content[-1]) == size and data[at + size:at + size + 2] == b"\r\n", "a chunk of another size")
        at += size + 2


def read_all(data, *methods, ended=False):
    """Exactly one final response for each method, and nothing behind them. Interim ones are dropped."""
    responses = []
    for method in methods:
        response, data = read_response(data, method, ended)
        while response.status < 200:
            response, data = read_response(data, method, ended)
        responses.append(response)
    equal(data, b"", "bytes behind the last response")
    return responses


def exchange(port, data, patience=10, half_close=False, pace=None):
    """Sends bytes on a fresh connection and returns all that comes until the end of the stream.

    The peer must end it at once: one that lingers before it shuts its half down keeps the client waiting.
    """
    with socket.create_connection(("127.0.0.1", port), patience) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pace is None:
            sock.sendall(data)
        else:
            for at in range(len(data)):
                sock.sendall(data[at:at + 1])
                time.sleep(pace)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        seen = b""
        try:
            began = time.monotonic()
            while piece := sock.recv(1 << 16):
                seen += piece
            check(time.monotonic() - began < 3, "the end came late", time.monotonic() - began)
        except TimeoutError:
            raise Failed(f"the connection was not closed within {patience} s; saw {shown(seen)}") from None
        return seen


def noise(size):
    """Bytes that repeat nowhere soon, the same in every run."""
    import random
    return random.Random(size).randbytes(size)


def file_of(data, name="content"):
    path = scratch / f"{name}-{len(data)}"
    path.write_bytes(data)
    return path


# --- installing ----------------------------------------------------------------------------------------------------

_refreshed = False


def need_command(name, package=None):
    """The path of a command, installed from its Debian package if need be."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return need(name, lambda: shutil.which(name, path=path), package)


def need_file(path, package):
    """A file of a Debian package, installed if need be."""
    return need(path, lambda: os.path.exists(path) and path, package)


def need(name, find, package):
    global _refreshed
    if found := find():
        return found
    if package and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not _refreshed:
                subprocess.run(["apt-get", "update", "-qq"], timeout=120, **quiet)
                _refreshed = True
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], timeout=180,
                           env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)
        except subprocess.TimeoutExpired:
            pass
        if found := find():
            return found
    raise Missing(f"{name} is not there" + (f", and the package {package} cannot be installed" if package else ""))


def need_python(*modules):
    """A Python that has these packages from PyPI, in a virtual environment."""
    python = INSTALLED / "venv" / "bin" / "python"
    have = lambda: subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True).returncode == 0
    try:
        if not python.exists():
            subprocess.run(["python3", "-m", "venv", INSTALLED / "venv"], check=True, capture_output=True, timeout=60)
        if not have():
            subprocess.run([python, "-m", "pip", "install", "-q", *modules], check=True, capture_output=True, timeout=180)
            check(have(), "the packages were installed and cannot be imported")
    except (subprocess.SubprocessError, OSError, Failed) as error:
        raise Missing(f"{', '.join(modules)} cannot be installed ({type(error).__name__})") from None
    return python


def need_npm(package):
    """A folder whose node_modules has this package."""
    folder = INSTALLED / "node"
    if not (folder / "node_modules" / package.split("@")[0]).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, package],
                           check=True, capture_output=True, timeout=180)
        except (subprocess.SubprocessError, OSError) as error:
            raise Missing(f"{package} cannot be installed ({type(error).__name__})") from None
    return folder


def need_program(name):
    """A C program of peers/ that uses libevent, built if need be."""
    program, source = INSTALLED / name, HERE / "peers" / f"{name}.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = need_command("gcc", "gcc")
        need_file("/usr/include/event2/http.h", "libevent-dev")
        INSTALLED.mkdir(parents=True, exist_ok=True)
        run(compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-levent")
    return program
