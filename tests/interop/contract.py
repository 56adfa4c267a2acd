"""What an example client is to see at any origin that has the routes of `serve`."""

import harness
from harness import Tap, check, equal, file_of, noise, read_all


def contract(fetch, port, scheme="http", kept=True, expects=True):
    """Keep-alive, both framings, large content both ways, errors, cut connections. `kept`: whether the origin keeps its
    connections; `expects`: whether it answers `Expect`."""
    large = 1 << 20 if harness.QUICK else 8 << 20
    with Tap(port) as tap:
        url = lambda path: tap.url(path, scheme)
        paths = ["/plain", "/bytes/0", "/chunked/70000", "/status/404", "/bytes/5", "/chunked/0", "/plain"]
        content = b"Hello, World!" + b"0" * 70000 + b"status 404\n" + b"00000" + b"Hello, World!"
        check(fetch(*map(url, paths)).stdout == content, "seven answers, one after the other")
        if kept:
            link = tap.only()
            if scheme == "http":
                answers = read_all(link.received, *["GET"] * len(paths))
                equal([answer.status for answer in answers], [200, 200, 200, 404, 200, 200, 200], "status")
        tap.links.clear()
        head = fetch("-v", "-X", "HEAD", url("/bytes/77"), url("/plain"))
        equal(head.stdout, b"", "content of HEAD")
        check(b"content-length: 77" in head.stderr, "the length that HEAD tells", head.stderr)
        equal(len(tap.links), 1 if kept else 2, "connections of HEAD")
        for path in (f"/bytes/{large}", f"/chunked/{large}"):
            equal(len(fetch(url(path)).stdout), large, path)
        data = noise(large)
        check(fetch("-d", f"@{file_of(data)}", url("/echo")).stdout == data, "a large echo")
        equal(fetch("-d", f"@{file_of(data)}", url("/sink")).stdout, str(large).encode(), "a large upload")
        if expects:
            small = noise(100_000)
            echoed = fetch("-H", "Expect: 100-continue", "-d", f"@{file_of(small)}", url("/echo"), url("/echo"))
            check(echoed.stdout == small * 2, "uploads that wait for 100")
        for status in (400, 413, 500, 503):
            seen = fetch("-v", "-d", "unread", url(f"/status/{status}"))
            check(f"< {status}".encode() in seen.stderr, f"status {status}", seen.stderr[-300:])
            equal(seen.stdout, f"status {status}\n".encode(), f"content of {status}")
        equal(fetch(url("/status/204"), url("/plain")).stdout, b"Hello, World!", "no content, and what follows")
        for path in ("/cut/1000", "/cut-chunked/1000"):
            fetch.refused(url("/plain"), url(path), status=5)
