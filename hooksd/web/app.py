"""The admin application as an ASGI server takes it. The trigger application is `hooksd.web.trigger.TriggerApp`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from hooksd.model.secret import Secret
from hooksd.web.access import BearerGuard
from hooksd.web.admin import Admin
from hooksd.web.problem import problem

TOKEN: Final = "admin"
"""What a caller is called who shows the one token."""


def admin_app(
    admin: Admin,
    *,
    token: Secret | None,
    keys: Mapping[str, Secret] = MappingProxyType({}),
    triggers: Mapping[str, Secret] = MappingProxyType({}),
    publishers: Mapping[str, Secret] = MappingProxyType({}),
) -> ASGIApp:
    """Build the admin application.

    Args:
        admin: Serves the requests.
        token: What callers must show; None on a Unix socket, whose file mode says who may connect.
        keys: More of the same, by the name of who has it.
        triggers: Keys that trigger endpoints and do nothing else, by the name of who has it.
        publishers: Keys that publish events and do nothing else, by the name of who has it.
    """
    app = Starlette(routes=admin.routes(), exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    known = {**keys, **({} if token is None else {TOKEN: token})}
    if not (known or triggers or publishers):
        return app
    return BearerGuard(app, known, triggers, publishers, refusals=admin.refusals)


async def _refused(request: Request, error: Exception) -> Response:
    """Answer what no route serves with a problem document."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = f"there is nothing at {request.scope['path']}" if status == 404 else None
    headers = dict(getattr(error, "headers", None) or {})
    answer = problem(status, detail)
    return Response(answer.body, status, {**headers, "content-type": "application/problem+json"})
