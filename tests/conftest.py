"""What every test may use."""

from __future__ import annotations

import compileall
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=300, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Compile hooksd once: hundreds of daemons and commands are started, and none of them writes what it compiled."""
    if not hasattr(config, "workerinput"):  # before there are workers
        compileall.compile_dir(Path(__file__).parents[1] / "hooksd", quiet=2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
