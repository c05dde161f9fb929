from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hooksd.model.secret import Secret
from hooksd.web.access import BearerGuard, caller_of, has_key, only_triggers
from tests.web.desks import Refused
from tests.web.doubles import PEER, client

KEYS = {"ada": Secret(b"a token of the operator"), "ci": Secret(b"another one")}


async def whose(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the name of its caller."""
    await PlainTextResponse(caller_of(Request(scope)))(scope, receive, send)


def guard(keys: Mapping[str, Secret], *more: Mapping[str, Secret], refused: Refused | None = None) -> BearerGuard:
    return BearerGuard(whose, keys, *more, refusals=(refused or Refused()).refusals)


GUARDED = guard(KEYS)


async def test_the_token_opens_the_door() -> None:
    async with client(GUARDED) as caller:
        answer = await caller.get("/anything", headers={"Authorization": "bearer a token of the operator "})

    assert answer.text == "ada"


@pytest.mark.parametrize(("key", "name"), [("a token of the operator", "ada"), ("another one", "ci")])
async def test_an_api_key_opens_it_too_and_says_who_comes(key: str, name: str) -> None:
    async with client(GUARDED) as caller:
        answer = await caller.get("/anything", headers={"X-Api-Key": key})

    assert answer.text == name


def test_it_is_known_whether_a_caller_showed_a_key() -> None:
    assert has_key(Request({"type": "http", "state": {"caller": "ci"}}))
    assert not has_key(Request({"type": "http", "state": {"user_id": 0}}))


def test_a_local_caller_has_the_name_of_its_user() -> None:
    def asked(**state: object) -> str:
        return caller_of(Request({"type": "http", "state": state}))

    assert asked(user_id=0) == "root"
    assert asked(user_id=4_000_000_000) == "user 4000000000"
    assert asked() == "local"


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
        [("X-Api-Key", "a third")],
        [("X-Api-Key", "a token of the operator"), ("Authorization", "Bearer a token of the operator")],
        [("X-Api-Key", "a token of the operator"), ("X-Api-Key", "a token of the operator")],
    ],
    ids=range(10),
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
        guard({"ada": Secret(b"")})


@pytest.mark.parametrize("path", ["/api/v1/endpoints/shop/trigger", "/api/v1/endpoints/a%2Fb/trigger"])
async def test_a_key_for_triggers_opens_one_kind_of_door(path: str) -> None:
    async def is_limited(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(str(only_triggers(Request(scope))))(scope, receive, send)

    keys = {"plugin": Secret(b"of the plugin"), "ci": Secret(b"no more than a name")}
    guarded = BearerGuard(is_limited, KEYS, keys, refusals=Refused().refusals)
    async with client(guarded) as caller:
        mine = await caller.post(path.replace("%2F", "-"), headers={"X-Api-Key": "of the plugin"})
        theirs = await caller.post(path, headers={"X-Api-Key": "another one"})
        taken = await caller.post(path, headers={"X-Api-Key": "no more than a name"})

    assert (mine.text, theirs.text) == ("True", "False")
    assert taken.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/api/v1/config",
        "/api/v1/trigger",
        "/api/v1/endpoints",
        "/api/v1/endpoints/shop",
        "/api/v1/endpoints/shop/ping",
        "/api/v1/endpoints/shop/trigger/",
        "/api/v1/endpoints/a/b/trigger",
    ],
)
async def test_and_no_other(path: str) -> None:
    async with client(guard({}, {"plugin": Secret(b"of the plugin")})) as caller:
        answer = await caller.post(path, headers={"X-Api-Key": "of the plugin"})

    assert (answer.status_code, answer.json()["detail"]) == (403, "this key triggers endpoints, and does nothing else")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/events", 200),
        ("/api/v1/events/", 403),
        ("/api/v1/events/evt_1", 403),
        ("/api/v1/endpoints/shop/trigger", 403),
        ("/api/v1/reload", 403),
        ("/metrics", 403),
    ],
)
async def test_a_key_for_publishing_publishes_and_does_nothing_else(path: str, status: int) -> None:
    async with client(guard(KEYS, {}, {"shop": Secret(b"the key of the shop")})) as caller:
        answer = await caller.post(path, headers={"X-Api-Key": "the key of the shop"})
        other = await caller.post(path, headers={"X-Api-Key": "another one"})

    assert (answer.status_code, other.status_code) == (status, 200)
    assert answer.text == "shop" if status == 200 else "publishes events" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "missing_token"),
        ([("X-Api-Key", "a third")], "bad_token"),
        ([("Authorization", "Basic a token of the operator")], "bad_token"),
        ([("X-Api-Key", "another one"), ("Authorization", "Bearer another one")], "duplicate_header"),
    ],
    ids=["none", "wrong", "no bearer", "two"],
)
async def test_who_knocks_without_a_key_is_in_the_log_by_its_address(
    headers: list[tuple[str, str]], reason: str
) -> None:
    refused = Refused()
    async with client(guard(KEYS, refused=refused)) as caller:
        await caller.get("/api/v1/config", headers=httpx.Headers(headers))
        await caller.get("/secret-path", headers=httpx.Headers(headers))

    (record,) = await refused.records()
    assert (record.listener, record.reason, record.status, record.count) == ("admin", reason, 401, 2)
    assert (record.peer, record.webhook, record.endpoint) == (PEER, None, None)


async def test_a_key_that_opens_another_door_is_in_the_log_by_its_name() -> None:
    refused = Refused()
    guarded = guard(KEYS, {"plugin": Secret(b"of the plugin")}, {"shop": Secret(b"of the shop")}, refused=refused)
    async with client(guarded) as caller:
        await caller.get("/metrics", headers={"X-Api-Key": "of the plugin"})
        await caller.get("/metrics", headers={"X-Api-Key": "another one"})

    (record,) = await refused.records()
    assert (record.listener, record.reason, record.status, record.peer) == ("admin", "limited_key", 403, "plugin")
