"""Who may talk to the admin listener over TCP. A Unix socket needs no token: its file mode decides.

Both leave the name of the caller in the request: a key has one in the settings, a local process that of its user.
"""

from __future__ import annotations

import pwd
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hooksd import signature
from hooksd.auth.verdict import Reason
from hooksd.model.secret import Secret
from hooksd.web.answer import send_answer
from hooksd.web.problem import problem
from hooksd.web.refusals import AdminReason, Refusals

_SCHEME: Final = b"bearer "
_NAME: Final = "caller"
_ONLY: Final = "only_triggers"
_TRIGGER: Final = re.compile(r"/api/v1/endpoints/[^/]+/trigger")
_EVENTS: Final = "/api/v1/events"
_NOBODY: Final[Mapping[str, Secret]] = MappingProxyType({})
USER_ID: Final = "user_id"
"""What the protocol of a Unix socket calls the user of the process at the other end, in the state of a request."""


class BearerGuard:
    """Lets requests through that carry a key: `Authorization: Bearer KEY` (RFC 6750) or `X-Api-Key: KEY`."""

    def __init__(
        self,
        app: ASGIApp,
        keys: Mapping[str, Secret],
        triggers: Mapping[str, Secret] = _NOBODY,
        publishers: Mapping[str, Secret] = _NOBODY,
        *,
        refusals: Refusals,
    ) -> None:
        """Guard an application.

        Args:
            app: What is guarded.
            keys: Each by the name of who has it.
            triggers: More of them, which trigger endpoints and open nothing else.
            publishers: More of them, which publish events and open nothing else.
            refusals: Where refused requests are counted.

        Raises:
            ValueError: A key is empty, so that everyone would know it; or there is none.
        """
        self._keys = {**publishers, **triggers, **keys}
        if not self._keys or not all(key.reveal() for key in self._keys.values()):
            raise ValueError("an admin key is empty")
        self._app = app
        self._refusals = refusals
        self._triggers = frozenset(triggers) - frozenset(keys)
        self._publishers = frozenset(publishers) - self._triggers - frozenset(keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401."""
        if scope["type"] == "http":
            given = _given(scope)
            caller = self._caller(given)
            if caller is None:
                client = scope.get("client")
                self._refuse(_reason(given), 401, client[0] if client else "local")
                detail = "send `Authorization: Bearer TOKEN` with the token that the setting `admin_token` names"
                await send_answer(problem(401, detail, headers=((b"www-authenticate", b"Bearer"),)), send)
                return
            scope.setdefault("state", {})[_NAME] = caller
            scope["state"][_ONLY] = caller in self._triggers
            if (no := self._denial(caller, scope["path"])) is not None:
                self._refuse("limited_key", 403, caller)
                await send_answer(problem(403, no), send)
                return
        await self._app(scope, receive, send)

    def _refuse(self, reason: Reason | AdminReason, status: int, by: str) -> None:
        self._refusals.add(webhook=None, reason=reason, status=status, peer=by, listener="admin")

    def _denial(self, caller: str, path: str) -> str | None:
        """Return why a key does not open a door."""
        if caller in self._triggers and not _TRIGGER.fullmatch(path):
            return "this key triggers endpoints, and does nothing else"
        if caller in self._publishers and path != _EVENTS:
            return f"this key publishes events, with `POST {_EVENTS}`, and does nothing else"
        return None

    def _caller(self, given: Sequence[bytes]) -> str | None:
        if len(given) != 1:
            return None
        # All are compared, so that the time does not tell which one was nearly right.
        fitting = [name for name, key in self._keys.items() if signature.equal(given[0], key.reveal())]
        return fitting[0] if fitting else None


def _given(scope: Scope) -> list[bytes]:
    """Return the keys that a caller shows; an empty one where the header is none of ours."""
    given = [value for name, value in scope["headers"] if name == b"x-api-key"]
    return given + [_bearer(value) for name, value in scope["headers"] if name == b"authorization"]


def _reason(given: Sequence[bytes]) -> Reason:
    """Say why none of them opens the door."""
    if not given:
        return "missing_token"
    return "bad_token" if len(given) == 1 else "duplicate_header"


def _bearer(value: bytes) -> bytes:
    return value[len(_SCHEME) :].strip() if value[: len(_SCHEME)].lower() == _SCHEME else b""


def has_key(request: Request) -> bool:
    """Tell whether the caller showed a key; false: the mode of a socket let it in."""
    return _NAME in request.scope.get("state", {})


def only_triggers(request: Request) -> bool:
    """Tell whether the caller's key is one that triggers the endpoints which name it, and does nothing else."""
    return bool(request.scope.get("state", {}).get(_ONLY))


def caller_of(request: Request) -> str:
    """Return who asks: the name of the key, or of the local user. It may block: call it in a thread."""
    state = request.scope.get("state", {})
    if _NAME in state:
        return str(state[_NAME])
    try:
        return pwd.getpwuid(state[USER_ID]).pw_name
    except KeyError:
        return f"user {state[USER_ID]}" if USER_ID in state else "local"
