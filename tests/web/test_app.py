from __future__ import annotations

import httpx
import pytest
from starlette.types import ASGIApp

from hooksd.model.secret import Secret
from hooksd.web.app import admin_app
from tests.web.desks import admin_of
from tests.web.doubles import FakeControl, client


def app(token: Secret | None = None) -> ASGIApp:
    return admin_app(admin_of(FakeControl()), token=token)


async def ask(application: ASGIApp, method: str, path: str, **headers: str) -> httpx.Response:
    async with client(application) as caller:
        return await caller.request(method, path, headers=headers)


@pytest.mark.parametrize("path", ["/", "/api/v1/status/", "/api/v2/status", "/api/v1/secrets"])
async def test_where_nothing_is_a_problem_says_so(path: str) -> None:
    answer = await ask(app(), "GET", path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert path in answer.json()["detail"]


async def test_a_wrong_method_is_told_the_right_one() -> None:
    answer = await ask(app(), "GET", "/api/v1/reload")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["title"] == "Method Not Allowed"


async def test_a_unix_socket_needs_no_token() -> None:
    assert (await ask(app(), "GET", "/api/v1/status")).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/nowhere"])
async def test_with_a_token_every_path_needs_it(path: str) -> None:
    guarded = app(Secret(b"a token of the operator"))

    assert (await ask(guarded, "GET", path)).status_code == 401
    opened = await ask(guarded, "GET", path, Authorization="Bearer a token of the operator")
    assert opened.status_code != 401
