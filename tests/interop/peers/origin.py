"""The routes of `serve` as a WSGI application, as an ASGI application, and on aiohttp: `origin.py PORT [--cert FILE --key FILE]`."""

import sys

PIECE = b"0" * 16384


class CutOff(Exception):
    """On purpose, in the middle of content."""


def pieces(size):
    while size > 0:
        yield PIECE[:size]
        size -= len(PIECE)


def route(method, path, content):
    """Status, length if it is told, pieces, and whether the connection is cut behind them."""
    kind, _, number = path[1:].partition("/")
    size = int(number) if number.isdigit() else 0
    match kind:
        case "plain":
            return 200, 13, [b"Hello, World!"], False
        case "bytes":
            return 200, size, pieces(size), False
        case "chunked":
            return 200, None, pieces(size), False
        case "status":
            text = b"" if size == 204 else b"status %d\n" % size
            return size, None if size == 204 else len(text), [text] if text else [], False
        case "cut":
            return 200, size * 2 + 1, pieces(size), True
        case "cut-chunked":
            return 200, None, pieces(size), True
        case "sink":
            text = str(len(content)).encode()
            return 200, len(text), [text], False
        case _:
            return 200, len(content), [content], False


def wsgi(environ, start_response):
    method = environ["REQUEST_METHOD"]
    status, length, content, cut = route(method, environ["PATH_INFO"], environ["wsgi.input"].read())
    fields = [("Content-Type", "application/octet-stream")]
    if length is not None:
        fields.append(("Content-Length", str(length)))
    start_response(f"{status} Told", fields)

    def produce():
        if method != "HEAD":
            yield from content
        if cut:
            raise CutOff
    return produce()


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    received, more = [], True
    while more:
        message = await receive()
        received.append(message.get("body", b""))
        more = message.get("more_body", False)
    status, length, content, cut = route(scope["method"], scope["path"], b"".join(received))
    fields = [] if length is None else [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    if scope["method"] != "HEAD":
        for piece in content:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    if cut:
        raise CutOff
    await send({"type": "http.response.body", "body": b""})


def aiohttp_server(port, certificate):
    import ssl

    from aiohttp import web
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
    if context:
        context.load_cert_chain(*certificate)

    async def answer(request):
        status, length, content, cut = route(request.method, request.path, await request.read())
        response = web.StreamResponse(status=status)
        if length is not None:
            response.content_length = length
        elif status != 204:
            response.enable_chunked_encoding()
        await response.prepare(request)
        if request.method != "HEAD":
            for piece in content:
                await response.write(piece)
        if cut:
            request.transport.close()
            return response
        await response.write_eof()
        return response
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=port, print=None, ssl_context=context)


if __name__ == "__main__":
    aiohttp_server(int(sys.argv[1]), sys.argv[3:6:2])
