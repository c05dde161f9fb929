from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.daemon.pings import RETRY, Pinger
from hooksd.errors import JournalFull
from hooksd.testing import FakeClock, FakeIds
from tests.delivery import house
from tests.web.doubles import FakeIntake


def endpoint(name: str, digest: str = "sha256:aa", *, ping: bool = True, enabled: bool = True) -> CompiledEndpoint:
    return replace(house.endpoint(name, ping=ping, enabled=enabled), digest=digest)


class Ground:
    """A pinger over definitions that change."""

    def __init__(self, *endpoints: CompiledEndpoint) -> None:
        self.clock = FakeClock()
        self.intake = FakeIntake()
        self.snapshot: Snapshot = house.snapshot(*endpoints)
        self.pinger = Pinger(intake=self.intake, ids=FakeIds(), clock=self.clock, current=lambda: self.snapshot)

    def apply(self, *endpoints: CompiledEndpoint) -> None:
        self.snapshot = house.snapshot(*endpoints)
        self.pinger.reloaded()

    @property
    def pinged(self) -> list[tuple[str, str | None]]:
        return self.intake.sent

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self.pinger.run())
            await rest()
            yield
            serving.cancel()


async def rest() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_each_definition_that_wants_it_gets_one_ping_that_says_so() -> None:
    ground = Ground(endpoint("shop"), endpoint("bank", ping=False), endpoint("post", "sha256:bb"))

    async with ground.at_work():
        ground.apply(*ground.snapshot.endpoints.values())
        await rest()

    assert ground.pinged == [("shop", "aa"), ("post", "bb")]
    assert [event.type for event in ground.intake.events] == ["ping", "ping"]
    assert "sender" not in ground.intake.events[0].data


async def test_a_definition_that_appears_or_changes_is_pinged_and_nothing_else_is() -> None:
    ground = Ground(endpoint("shop"))

    async with ground.at_work():
        ground.apply(endpoint("shop"), endpoint("bank"))
        await rest()
        assert ground.pinged == [("shop", "aa"), ("bank", "aa")]

        ground.apply(endpoint("shop", "sha256:bb"), endpoint("bank"))
        await rest()
        assert ground.pinged[2:] == [("shop", "bb")]


async def test_a_definition_that_comes_back_is_pinged_again() -> None:
    ground = Ground(endpoint("shop"))

    async with ground.at_work():
        for between in (
            (),
            (endpoint("shop", "sha256:bb", enabled=False),),
            (endpoint("shop", "sha256:cc", ping=False),),
        ):
            ground.apply(*between)
            await rest()
            ground.apply(endpoint("shop"))
            await rest()

    assert ground.pinged == [("shop", "aa")] * 4


async def test_a_restart_pings_only_what_changed_meanwhile() -> None:
    ground = Ground(endpoint("shop"), endpoint("bank", "sha256:bb"), endpoint("post"))

    ground.pinger.recover({"shop": "aa", "bank": "aa", "gone": "aa"})
    async with ground.at_work():
        pass

    assert ground.pinged == [("bank", "bb"), ("post", "aa")]


async def test_what_the_log_has_no_room_for_is_pinged_when_it_has() -> None:
    ground = Ground(endpoint("shop"), endpoint("bank"))
    ground.intake.error = JournalFull("full")

    async with ground.at_work():
        assert ground.pinged == []
        ground.intake.error = None
        await ground.clock.advance(RETRY)
        await rest()

    assert ground.pinged == [("shop", "aa"), ("bank", "aa")]


async def test_what_changes_while_its_ping_is_written_is_pinged_anew() -> None:
    ground = Ground(endpoint("shop"), endpoint("bank"))
    ground.intake.gate.clear()

    async with ground.at_work():
        ground.apply(endpoint("shop", "sha256:bb"))
        ground.intake.gate.set()
        await rest()

    assert ground.pinged == [("shop", "aa"), ("shop", "bb")]
