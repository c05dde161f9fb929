from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.attempt import Attempted
from hooksd.delivery.egress import rules_of
from hooksd.delivery.request import Prepared
from hooksd.delivery.tokens import Tokens
from hooksd.delivery.transport_wire import Way
from hooksd.model.identity import Grant
from hooksd.model.secret import Secret
from hooksd.testing import FakeClock
from tests.delivery.house import FakeSender, answered, endpoint

GRANT = Grant(
    token_url="https://login.example/token",
    client_id="me:x",
    client_secret=Secret(b"s3cret+"),
    scope="a b",
    audience="shop",
)
WHO: CompiledEndpoint = replace(endpoint("shop", egress={"https_only": True}), grant=GRANT)


def grants(body: str, status: int = 200) -> Callable[[Prepared], Attempted]:
    return lambda prepared: answered(prepared, status, body=body)


async def test_a_token_is_asked_for_once_and_kept_until_it_ends() -> None:
    clock = FakeClock()
    sender = FakeSender(*[grants(f'{{"access_token": "t{number}", "expires_in": 100}}') for number in range(3)])
    tokens = Tokens(sender=sender, clock=clock)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tokens.of(WHO, GRANT)) for _ in range(5)]
    assert {task.result() for task in tasks} == {"t0"}
    await clock.advance(69)
    assert await tokens.of(WHO, GRANT) == "t0"
    await clock.advance(2)
    assert await tokens.of(WHO, GRANT) == "t1"
    tokens.forget(GRANT)
    assert await tokens.of(WHO, GRANT) == "t2"

    first = sender.sent[0]
    assert (first.method, first.url) == ("POST", GRANT.token_url)
    assert isinstance(first.way, Way)
    assert first.way.rules is rules_of(WHO.value.egress)
    assert dict(first.headers)["Authorization"] == "Basic bWUlM0F4OnMzY3JldCUyQg=="
    assert parse_qs(first.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["a b"],
        "audience": ["shop"],
    }


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        ("", 401, "http_4xx"),
        ("", 410, "http_4xx"),
        ("", 503, "http_5xx"),
        ("no json", 200, "config"),
        ("[]", 200, "config"),
        ('{"access_token": 7}', 200, "config"),
        ('{"access_token": "a\\nb"}', 200, "config"),
        ('{"access_token": "t", "expires_in": "soon"}', 200, "config"),
    ],
)
async def test_without_a_token_the_attempt_is_not_made_and_says_why(body: str, status: int, outcome: str) -> None:
    tokens = Tokens(sender=FakeSender(grants(body, status)), clock=FakeClock())

    failed = await tokens.of(WHO, GRANT)

    assert isinstance(failed, Attempted)
    assert (failed.outcome, failed.is_sent, failed.exchange.response_body) == (outcome, False, "")
    assert str(failed.error).startswith("no token from https://login.example/token: ")
