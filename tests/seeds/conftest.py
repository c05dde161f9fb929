"""A daemon for each page of a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that has not been started yet."""
    one = Daemon(tmp_path)
    try:
        yield one
    finally:
        one.kill()
