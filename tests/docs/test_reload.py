from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hooksd.config import tree, watch
from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon

TEXT = page("reload.md")


async def test_every_command_of_the_page_says_what_the_page_shows(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    daemon.write(definitions(TEXT))
    daemon.start()
    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"


def test_the_page_gives_the_numbers_that_hold() -> None:
    for number in (
        f"after {watch.SETTLE * 1000:g} ms without another",
        f"after {watch.SETTLE_UNKNOWN:g} s without another",
        f"a forgotten lock: {watch.SETTLE_BUSY:g} s",
        f"over {tree.MAX_FILE // 2**20} MiB",
    ):
        assert number in TEXT
    assert watch.RESCAN == 2
