"""A directory with a disk that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.bad_disk import BadDisk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[BadDisk]:
    """A locked directory `log`."""
    one = BadDisk(tmp_path / "log")
    one.lock()
    yield one
    one.unlock()
