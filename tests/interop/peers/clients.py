"""Python clients; `clients.py CASE PORT` prints ok, or fails with what was otherwise."""

import sys

case, port = sys.argv[1], int(sys.argv[2])
url = f"http://127.0.0.1:{port}"
data = bytes(range(256)) * 2000


def pieces():
    for at in range(0, len(data), 7001):
        yield data[at:at + 7001]


def http_client():
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(method, path, **options):
        connection.request(method, path, **options)
        response = connection.getresponse()
        return response.status, response.read(), response

    assert ask("GET", "/plain")[:2] == (200, b"Hello, World!")
    assert ask("HEAD", "/bytes/77")[2].getheader("Content-Length") == "77"
    assert len(ask("GET", "/chunked/123456")[1]) == 123456
    assert ask("POST", "/echo", body=data)[1] == data
    assert ask("POST", "/echo", body=pieces(), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})[1] == data
    assert ask("POST", "/sink", body=b"")[1] == b"0"


def httpx_client():
    import httpx
    with httpx.Client(timeout=10) as client:
        assert client.get(url + "/plain").text == "Hello, World!"
        assert client.head(url + "/bytes/77").headers["content-length"] == "77"
        assert len(client.get(url + "/chunked/123456").content) == 123456
        assert client.post(url + "/echo", content=pieces()).content == data
        with client.stream("GET", url + "/bytes/1000000") as response:
            assert sum(map(len, response.iter_raw())) == 1000000
        assert client.post(url + "/sink", content=data).text == str(len(data))


def aiohttp_client():
    import asyncio

    import aiohttp

    async def go():
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15)) as session:
            for path, expected in (("/echo", data), ("/sink", str(len(data)).encode()), ("/x", b"POST /x\n" + data)):
                async with session.post(url + path, data=data, expect100=True) as response:
                    assert response.status == 200 and await response.read() == expected, path
            async with session.get(url + "/chunked/123456") as response:
                assert len(await response.read()) == 123456

    asyncio.run(go())


{"http_client": http_client, "httpx_client": httpx_client, "aiohttp_client": aiohttp_client}[case]()
print("ok")
