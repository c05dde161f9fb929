"""File systems of a test's own: small ones that fill up, and images that can be copied as a power cut leaves them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def mounted(directory: Path, *options: str) -> Iterator[Path]:
    """Mount something on a directory for a while; the test is skipped where that is not allowed.

    Args:
        directory: Made when it is missing.
        options: What `mount` takes before the directory.
    """
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    directory.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(directory)], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting does not work here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True, timeout=60)


def memory(directory: Path, size: str) -> contextlib.AbstractContextManager[Path]:
    """Mount a file system of a size, like `4m`, that lives in memory."""
    return mounted(directory, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")


def image(directory: Path, file: Path) -> contextlib.AbstractContextManager[Path]:
    """Mount the ext4 file system in a file."""
    return mounted(directory, "-t", "ext4", "-o", "loop", str(file))
