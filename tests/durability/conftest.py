"""What tests of durability stand on: daemons that are never left behind, and somebody to deliver to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.battery import leave_out
from tests.durability import work
from tests.durability.receiver import Receiver
from tests.end_to_end.daemon import Daemon

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out(items, HERE)


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
