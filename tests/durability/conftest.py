"""What tests of durability stand on: daemons that are never left behind, and somebody to deliver to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability import work
from tests.durability.receiver import Receiver
from tests.end_to_end.daemon import Daemon

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave this battery out of the everyday suite: it wants the machine to itself, and minutes."""
    if not os.environ.get("HOOKSD_BATTERY"):
        skip = pytest.mark.skip(reason="part of the battery: HOOKSD_BATTERY=1 python -m pytest tests/durability")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who receives deliveries; refuses each of them once."""
    with Receiver() as one:
        yield one


@pytest.fixture
def daemon(tmp_path: Path, receiver: Receiver) -> Iterator[Daemon]:
    """A daemon that has its work to do and has not been started yet."""
    one = Daemon(tmp_path)
    work.set_up(one, receiver)
    try:
        yield one
    finally:
        one.kill()
