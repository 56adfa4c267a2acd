"""The same two answers as a WSGI and as an ASGI application."""


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/echo":
        return [environ["wsgi.input"].read()]
    return iter([b"one ", b"two ", b"three"])


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    pieces = [b"one ", b"two ", b"three"]
    if scope["path"] == "/echo":
        pieces, more = [], True
        while more:
            message = await receive()
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
