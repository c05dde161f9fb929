"""What the trigger listener serves beside webhooks: the daemon's health, as a Starlette application.

`web.trigger` asks it about every path that is no webhook's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hooksd.web.answer import Answer, json_answer
from hooksd.web.problem import problem


def health_app(*, unready: Callable[[], Sequence[str]], unknown: Callable[[Request], None]) -> Starlette:
    """Build the application.

    Args:
        unready: Returns why the daemon cannot take requests now; nothing: it can.
        unknown: Told of each request for a path where nothing is.
    """

    async def live(_: Request) -> Response:
        return _response(json_answer(200, {"status": "ok"}))

    async def ready(_: Request) -> Response:
        reasons = list(unready())
        if reasons:
            return _response(json_answer(503, {"status": "unready", "reasons": reasons}))
        return _response(json_answer(200, {"status": "ok"}))

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            unknown(request)
            return _response(problem(404, "there is no webhook at this path"))
        return _response(problem(405, "use GET", headers=((b"allow", b"GET, HEAD"),)))

    routes = [Route("/livez", live, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]
    app = Starlette(routes=routes, exception_handlers={404: refused, 405: refused})
    app.router.redirect_slashes = False
    return app


def _response(answer: Answer) -> Response:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)
