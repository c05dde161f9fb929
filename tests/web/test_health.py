from __future__ import annotations

import pytest
from starlette.requests import Request

from hooksd.web.health import health_app
from tests.web.doubles import client


async def test_a_daemon_that_cannot_take_requests_is_alive_and_says_why_it_is_not_ready() -> None:
    app = health_app(unready=lambda: ["the log is full"], unknown=lambda _: None)

    async with client(app) as caller:
        live, ready = await caller.get("/livez"), await caller.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (503, {"status": "unready", "reasons": ["the log is full"]})


@pytest.mark.parametrize("path", ["/", "/hooks/nobody", "/livez/", "//livez", "/readyz/x"])
async def test_a_path_where_nothing_is_gets_a_problem_and_is_told_to_whoever_counts(path: str) -> None:
    asked: list[str] = []

    def unknown(request: Request) -> None:
        asked.append(request.scope["path"])

    async with client(health_app(unready=list, unknown=unknown)) as caller:
        answer = await caller.get(f"http://x{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(asked) == 1


async def test_health_is_asked_for_with_get_or_head() -> None:
    async with client(health_app(unready=list, unknown=lambda _: None)) as caller:
        posted, head = await caller.post("/livez"), await caller.head("/readyz")

    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert (head.status_code, head.content) == (200, b"")
