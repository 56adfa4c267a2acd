"""The pages of the example programs, as Chromium shows them: see `tests/pages.sh`."""

import base64
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

from harness import check, equal, free_port, run, scratch, start, stop, stop_all, wait_for

PROGRAMS, PICTURES = map(pathlib.Path, sys.argv[1:])
PATIENCE = 20


class Program:
    """An example program that serves."""

    def __init__(self, name, *options, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.child = start(PROGRAMS / name, "--port", self.port, *options)
        wait_for(self.port, self.child)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        equal(self.child.wait(PATIENCE), 0, "exit status")


class Chromium:
    """A browser without a window, asked through its DevTools protocol."""

    def __init__(self):
        folder = scratch / "chromium"
        start("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
              "--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0",
              f"--user-data-dir={folder}", "about:blank")
        told = folder / "DevToolsActivePort"
        eventually(lambda: told.exists() and told.read_text().count("\n"), "the browser listens")
        self.port = int(told.read_text().split()[0])

    def open(self, url):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?{url}", method="PUT")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            page = Page(json.load(answer)["webSocketDebuggerUrl"])
        there = f"document.readyState === 'complete' && location.href === {json.dumps(url)}"
        eventually(lambda: page.value(there), f"{url} is there")
        return page


class Page:
    """A page that is open: what is typed and shown there."""

    def __init__(self, url):
        self.talk = subprocess.Popen([PROGRAMS / "talk", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.calls = 0
        self.ask("Emulation.setDeviceMetricsOverride", width=700, height=520, deviceScaleFactor=1, mobile=False)

    def ask(self, method, **params):
        self.calls += 1
        print(json.dumps({"id": self.calls, "method": method, "params": params}), file=self.talk.stdin, flush=True)
        for line in self.talk.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.calls:
                check("error" not in answer, method, answer)
                return answer["result"]
        check(False, f"the browser has ended, asked for {method}")

    def value(self, expression):
        outcome = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        check("exceptionDetails" not in outcome, expression, outcome)
        return outcome["result"].get("value")

    def type(self, where, text):
        """Types text where a person would, and ends it with Enter."""
        self.value(f"document.querySelector({json.dumps(where)}).focus()")
        self.ask("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")

    def choose(self, where, *files):
        node = self.ask("Runtime.evaluate", expression=f"document.querySelector({json.dumps(where)})")["result"]
        self.ask("DOM.setFileInputFiles", objectId=node["objectId"], files=[str(file) for file in files])

    def text(self, where):
        return self.value(f"document.querySelector({json.dumps(where)})?.innerText ?? ''")

    def shows(self, where, text):
        eventually(lambda: text in self.text(where), f"{where} shows {text!r}", lambda: self.text("body"))

    def picture(self, name):
        picture = base64.b64decode(self.ask("Page.captureScreenshot")["data"])
        (PICTURES / f"{name}.png").write_bytes(picture)

    def close(self):
        self.talk.stdin.close()
        equal(self.talk.wait(PATIENCE), 0, "exit status of talk")


def eventually(is_so, what, seen=lambda: None):
    end = time.monotonic() + PATIENCE
    while not is_so():
        check(time.monotonic() < end, what, seen())
        time.sleep(0.02)


def chat(browser):
    server = Program("chat")
    one, other = browser.open(server.url), browser.open(server.url)
    for page in (one, other):
        page.shows("#state", "connected")
    one.type("#text", "hello, <b>all</b>")
    other.shows("#heard", "guest: hello, <b>all</b>")
    other.value("document.querySelector('#name').value = 'other'")
    other.type("#text", "good day")
    one.shows("#heard", "other: good day")
    one.picture("chat")
    server.end()
    one.shows("#state", "not connected: the server ends")
    one.picture("chat-ended")
    server = Program("chat", port=server.port)
    for page in (one, other):
        eventually(lambda: page.text("#state") == "connected", "it connects again", lambda: page.text("#state"))
        page.close()
    stop(server.child)


def news(browser):
    server = Program("events")
    page = browser.open(server.url)
    page.shows("#state", "listening")
    page.type("input", "first")
    page.shows("#news", "1: first")
    # What was posted while the connection was away comes when it is back.
    page.ask("Network.enable")
    page.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    run("curl", "--silent", "--data", "second", server.url + "news")
    page.ask("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    page.type("input", "third")
    page.shows("#news", "3: third")
    page.shows("#news", "2: second")
    page.picture("news")
    server.end()
    page.shows("#state", "away for a moment")
    server = Program("events", port=server.port)
    page.shows("#state", "listening")
    page.close()
    stop(server.child)


def upload(browser):
    folder, large, small = scratch / "kept", scratch / "large.bin", scratch / "with space.txt"
    folder.mkdir()
    large.write_bytes(bytes(3_000_000))
    small.write_text("small")
    server = Program("upload", "--folder", folder, "--most", 4_000_000)
    page = browser.open(server.url)
    page.ask("Network.enable")
    page.ask("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=1_000_000)
    seen = "new Promise((tell) => { const at = () => { const bar = document.querySelector('progress'); " \
           "bar?.value > 0 && bar.value < bar.max ? tell(true) : setTimeout(at, 1); }; at(); })"
    page.choose("#chosen", large)
    check(page.value(seen), "the bar moves")
    page.picture("upload")
    page.shows("#files", "kept")
    page.choose("#chosen", small)
    page.shows("#files li:nth-child(2)", "kept")
    large.write_bytes(bytes(5_000_000))
    page.choose("#chosen", large)
    page.shows("#files li:nth-child(3)", "4000000 bytes at most")
    page.picture("upload-done")
    equal(sorted(path.name for path in folder.iterdir()), ["large.bin", "with_space.txt"], "what is kept")
    equal((folder / "large.bin").stat().st_size, 3_000_000, "the size of what is kept")
    page.close()
    server.end()


if __name__ == "__main__":
    try:
        browser = Chromium()
        for scene in (chat, news, upload):
            scene(browser)
            print(f"{scene.__name__}: ok")
        print(f"pictures are in {PICTURES}")
    finally:
        stop_all()
