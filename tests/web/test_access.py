from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse

from hooksd.model.secret import Secret
from hooksd.web.access import BearerGuard
from tests.web.doubles import client

GUARDED = BearerGuard(PlainTextResponse("inside"), Secret(b"a token of the operator"))


async def test_the_token_opens_the_door() -> None:
    async with client(GUARDED) as caller:
        answer = await caller.get("/anything", headers={"Authorization": "bearer a token of the operator "})

    assert answer.text == "inside"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer another token")],
        [("Authorization", "Bearer ")],
        [("Authorization", "a token of the operator")],
        [("Authorization", "Basic a token of the operator")],
        [("Authorization", "Bearer a token of the operator"), ("Authorization", "Bearer another")],
        [("Authorization", b"Bearer \xff\xfe")],
    ],
    ids=range(7),
)
async def test_nothing_else_does(headers: list[tuple[str, str | bytes]]) -> None:
    pairs = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]

    async with client(GUARDED) as caller:
        answer = await caller.get("/anything", headers=httpx.Headers(pairs))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "admin_token" in answer.json()["detail"]


def test_an_empty_token_guards_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        BearerGuard(PlainTextResponse("inside"), Secret(b""))
