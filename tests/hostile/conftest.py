"""Every test of hostile callers gets a daemon of its own, and none is left behind."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.battery import leave_out
from tests.end_to_end.daemon import Daemon

HERE = Path(__file__).parent
MEMORY = Path("/dev/shm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out(items, HERE)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that has not been started yet, with its log in memory.

    What honest callers notice is then the work of attackers alone: the sync of a virtual disk takes half a second now
    and then, with nobody attacking.
    """
    one = Daemon(tmp_path)
    with contextlib.ExitStack() as undo:
        if os.access(MEMORY, os.W_OK):
            one.log_dir = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="hooksd-test-", dir=MEMORY)))
        undo.callback(one.kill)
        yield one
