"""Python clients; `clients.py LIBRARY URL [CA]` prints ok, or fails with what was otherwise.

Each library is one function `ask(method, path, content, headers)` that returns status, fields and content, on a
connection that is kept, and the errors that tell of content that was cut short.
"""

import ssl
import sys
import urllib.parse

library, url = sys.argv[1:3]
context = ssl.create_default_context(cafile=sys.argv[3]) if sys.argv[3:] else None
data = bytes(range(256)) * 2000


def pieces():
    for at in range(0, len(data), 7001):
        yield data[at:at + 7001]


def http_client():
    import http.client
    host, port = urllib.parse.urlsplit(url).hostname, urllib.parse.urlsplit(url).port
    if context:
        connection = http.client.HTTPSConnection(host, port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=10)

    def ask(method, path, content=None, headers={}):
        chunked = content is not None and not isinstance(content, bytes)
        if chunked:
            headers = {**headers, "Transfer-Encoding": "chunked"}
        try:
            connection.request(method, path, content, headers, encode_chunked=chunked)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except http.client.HTTPException:
            connection.close()
            raise
    return ask, http.client.IncompleteRead


def httpx_client():
    import httpx
    client = httpx.Client(timeout=10, verify=context or False)

    def ask(method, path, content=None, headers={}):
        with client.stream(method, url + path, content=content, headers=headers) as response:
            return response.status_code, response.headers, b"".join(response.iter_raw())
    return ask, httpx.RemoteProtocolError


def aiohttp_client():
    import asyncio

    import aiohttp
    loop = asyncio.new_event_loop()

    async def begin():
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15), connector=aiohttp.TCPConnector(ssl=context or True))
    session = loop.run_until_complete(begin())

    async def go(method, path, content, headers):
        if content is not None and not isinstance(content, bytes):
            content = stream(content)
        # A client that waits for 100 does so without a limit.
        expect = bool(content) and "status" not in path
        async with session.request(method, url + path, data=content, headers=headers, expect100=expect) as response:
            return response.status, response.headers, await response.read()

    async def stream(pieces):
        for piece in pieces:
            yield piece
    return lambda m, p, c=None, h={}: loop.run_until_complete(go(m, p, c, h)), aiohttp.ClientPayloadError


def equal(seen, expected, what):
    assert seen == expected, f"{what}: {seen!r:.200}, not {expected!r:.200}"


ask, Cut = {"http.client": http_client, "httpx": httpx_client, "aiohttp": aiohttp_client}[library]()
for _ in range(2):
    equal(ask("GET", "/plain")[::2], (200, b"Hello, World!"), "a short one")
equal(ask("HEAD", "/bytes/77")[1]["Content-Length"], "77", "HEAD")
for path, size in (("/bytes/0", 0), ("/chunked/0", 0), ("/chunked/123456", 123456), ("/bytes/5000000", 5000000),
                   ("/chunked/5000000", 5000000)):
    equal(len(ask("GET", path)[2]), size, path)
for content in (b"", b"x", data, pieces()):
    expected = content if isinstance(content, bytes) else data
    equal(ask("POST", "/echo", content)[2], expected, "an echo")
equal(ask("POST", "/sink", pieces())[2], str(len(data)).encode(), "a chunked upload")
equal(ask("POST", "/x", data)[2], b"POST /x\n" + data, "what is no route")
for status in (400, 404, 413, 500, 503):
    equal(ask("GET", f"/status/{status}")[::2], (status, f"status {status}\n".encode()), "an error")
equal(ask("GET", "/status/204")[::2], (204, b""), "no content")
equal(ask("POST", "/status/404", b"unread")[0], 404, "an error before the content was read")
equal(ask("GET", "/" + "a" * 9000)[0], 414, "a target that is too long")
for path in ("/cut/1000", "/cut-chunked/1000"):
    equal(ask("GET", "/plain")[2], b"Hello, World!", "another one")
    try:
        seen = ask("GET", path)
    except Cut:
        continue
    raise AssertionError(f"{path} was taken for whole: {seen!r:.200}")
equal(ask("GET", "/plain")[2], b"Hello, World!", "one after the cut")
print("ok")
