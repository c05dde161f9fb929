"""The pulse: watchdog and status line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooksd.daemon.heartbeat import beat
from hooksd.daemon.systemd import Notifier
from hooksd.testing import FakeClock


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    messages: list[str] = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


async def test_the_watchdog_is_fed_three_times_as_often_as_it_wants_while_the_log_moves(manager: socket.socket) -> None:
    clock = FakeClock()
    notifier = Notifier(manager.getsockname())
    async with asyncio.TaskGroup() as group:
        pulse = group.create_task(beat(notifier, clock, watchdog=3.0, moves=lambda: True, status=lambda: "fine"))
        await clock.advance(3.0)
        pulse.cancel()

    assert heard(manager).count("WATCHDOG=1") == 4  # at once, and after each second


async def test_a_log_that_hangs_starves_the_watchdog(manager: socket.socket) -> None:
    clock = FakeClock()
    notifier = Notifier(manager.getsockname())
    async with asyncio.TaskGroup() as group:
        pulse = group.create_task(beat(notifier, clock, watchdog=3.0, moves=lambda: False, status=lambda: "fine"))
        await clock.advance(30.0)
        pulse.cancel()

    assert "WATCHDOG=1" not in heard(manager)


async def test_a_changed_status_is_told_once(manager: socket.socket) -> None:
    clock = FakeClock()
    notifier = Notifier(manager.getsockname())
    state = ["IN_SYNC"]
    async with asyncio.TaskGroup() as group:
        pulse = group.create_task(beat(notifier, clock, watchdog=None, moves=lambda: True, status=lambda: state[-1]))
        await clock.advance(5.0)
        state.append("REJECTED")
        await clock.advance(5.0)
        pulse.cancel()

    assert heard(manager) == ["STATUS=IN_SYNC", "STATUS=REJECTED"]
