"""What came in and what went out."""

from __future__ import annotations

import pytest

from hooksd.cli.deliveries import HEADER
from tests.cli.conftest import DELIVERY, EVENT, Command

pytestmark = pytest.mark.usefixtures("log")


def test_it_is_newest_first_in_and_out(hooksd: Command) -> None:
    lines = hooksd("deliveries").out.splitlines()

    assert lines[0].split() == [title for title in HEADER if title]
    assert "401 refused" in lines[1]
    assert "3 times, bad_signature from 192.0.2.7" in lines[1]
    assert "503 http_5xx" in lines[2]
    assert f"{DELIVERY} attempt 1 in 12ms: 503 Service Unavailable" in lines[2]
    assert "accepted" in lines[3]
    assert f"{EVENT} -> deploy" in lines[3]
    assert len(lines) == 4


def test_a_receiver_cannot_steer_the_terminal(hooksd: Command) -> None:
    out = hooksd("deliveries").out

    assert "\x1b" not in out
    assert r"https://chat.example/\x1b[31mhook" in out


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        (["--failed"], ["request.refused", "attempt.ended"]),
        (["--webhook", "github"], ["request.refused", "event.accepted"]),
        (["--endpoint", "chat"], ["attempt.ended"]),
        (["--webhook", "github", "--failed"], ["request.refused"]),
        (["--endpoint", "other"], []),
        (["-n", "1"], ["request.refused"]),
    ],
    ids=["failed", "webhook", "endpoint", "webhook failed", "unknown", "one"],
)
def test_it_can_be_narrowed(hooksd: Command, arguments: list[str], types: list[str]) -> None:
    result = hooksd("deliveries", "--json", *arguments)

    assert [tree["type"] for tree in result.objects()] == types


def test_nothing_found_is_said_beside_the_result(hooksd: Command) -> None:
    result = hooksd("deliveries", "--endpoint", "other")

    assert (result.status, result.out) == (0, "")
    assert "nothing of that kind" in result.err
