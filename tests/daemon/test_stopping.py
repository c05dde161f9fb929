"""Who wants the daemon to end, and how soon."""

from __future__ import annotations

import asyncio

import pytest

from hooksd.daemon.stopping import Stopping
from hooksd.errors import JournalBroken


async def test_the_first_one_to_ask_gives_the_reason() -> None:
    stopping = Stopping()
    stopping.ask("SIGTERM")
    stopping.ask("SIGINT")

    await asyncio.wait_for(stopping.asked(), 30)
    assert stopping.reason == "SIGTERM"
    assert stopping.error is None


async def test_asking_twice_means_at_once() -> None:
    stopping = Stopping()
    stopping.ask("SIGTERM")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stopping.hurried(), 0.01)
    stopping.ask("SIGTERM")

    await asyncio.wait_for(stopping.hurried(), 30)


async def test_a_failure_ends_the_daemon_and_is_remembered() -> None:
    stopping = Stopping()
    stopping.fail(JournalBroken("disk gone"))
    stopping.fail(JournalBroken("again"))

    await asyncio.wait_for(stopping.asked(), 30)
    assert str(stopping.error) == "disk gone"


async def test_a_failure_while_it_ends_does_not_hurry_it_but_counts() -> None:
    stopping = Stopping()
    stopping.ask("SIGTERM")
    stopping.fail(JournalBroken("disk gone"))

    assert stopping.reason == "SIGTERM"
    assert isinstance(stopping.error, JournalBroken)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stopping.hurried(), 0.01)
