"""The least that an ASGI application can do with a request: read the body and answer 202. Run by `servers`."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer."""
    message = await receive()
    size = len(message.get("body", b""))
    while message.get("more_body", False):
        message = await receive()
        size += len(message.get("body", b""))
    body = b'{"size":%d}' % size
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})
