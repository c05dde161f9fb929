"""Every test of hostile callers gets a daemon of its own, and none is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave this battery out of the everyday suite: it wants the machine to itself, and minutes."""
    if not os.environ.get("HOOKSD_BATTERY"):
        skip = pytest.mark.skip(reason="part of the battery: HOOKSD_BATTERY=1 python -m pytest tests/hostile")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that has not been started yet."""
    one = Daemon(tmp_path)
    try:
        yield one
    finally:
        one.kill()
