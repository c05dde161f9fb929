"""Who may talk to the admin listener over TCP. A Unix socket needs no token: its file mode decides."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from hooksd import signature
from hooksd.model.secret import Secret
from hooksd.web.answer import send_answer
from hooksd.web.problem import problem

_SCHEME = b"bearer "


class BearerGuard:
    """Lets requests through that carry the token (RFC 6750)."""

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        """Guard an application.

        Raises:
            ValueError: The token is empty, so that everyone would know it.
        """
        if not token.reveal():
            raise ValueError("the admin token is empty")
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401."""
        if scope["type"] == "http" and not self._is_allowed(scope):
            detail = "send `Authorization: Bearer TOKEN` with the token that the setting `admin_token` names"
            await send_answer(problem(401, detail, headers=((b"www-authenticate", b"Bearer"),)), send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1 or given[0][: len(_SCHEME)].lower() != _SCHEME:
            return False
        return signature.equal(given[0][len(_SCHEME) :].strip(), self._token.reveal())
