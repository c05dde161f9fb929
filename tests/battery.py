"""The batteries that want the machine to themselves: whether they run, how large they are, and what they found.

Without `HOOKSD_BATTERY` they are left out. `HOOKSD_BATTERY=1` runs their quick part, a few minutes on two cores, as
`.ci/run` does; `HOOKSD_BATTERY=long` is what docs/reliability.md counts, two hours. A size of its own, like
`HOOKSD_KILL_LOOP=500`, goes before both. `HOOKSD_FIGURES` names a file to which the figures are added, one on a line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

IS_LONG = os.environ.get("HOOKSD_BATTERY") == "long"


def size(name: str, *, quick: int, long: int) -> int:
    """Return how often, how many or how long.

    Args:
        name: Of the variable, without `HOOKSD_`, that says so itself.
        quick: In the quick part.
        long: In the long one.
    """
    return int(os.environ.get(f"HOOKSD_{name}") or (long if IS_LONG else quick))


def tell(figures: str) -> None:
    """Say what was counted; pytest shows it with `-s`."""
    sys.stdout.write(f"\n{figures}\n")
    if told := os.environ.get("HOOKSD_FIGURES"):
        with Path(told).open("a") as file:
            file.write(f"{figures}\n")


def leave_out(items: list[pytest.Item], directory: Path) -> None:
    """Skip the tests of a directory in the everyday suite."""
    if not os.environ.get("HOOKSD_BATTERY"):
        skip = pytest.mark.skip(reason=f"a battery: HOOKSD_BATTERY=1 python -m pytest tests/{directory.name}")
        for item in items:
            if directory in item.path.parents:
                item.add_marker(skip)
