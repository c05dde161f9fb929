"""Being somebody who may not do everything, for tests that run as root as well."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Yield a directory that belongs to us while we are not root."""
    directory = Path(tempfile.mkdtemp(prefix="hooksd-test-"))
    was_root = os.geteuid() == 0
    ThreadPoolExecutor().shutdown()  # its module is read when it is first needed: whoever we become may not read it
    if was_root:
        os.chown(directory, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield directory
    finally:
        if was_root:
            os.seteuid(0)
        shutil.rmtree(directory)


@contextmanager
def privileged() -> Iterator[None]:
    """Be root again for a moment, inside of `unprivileged`."""
    me = os.geteuid()
    os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(me)
