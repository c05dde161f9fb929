"""Ctrl-C while a command is being loaded: the process ends at once, as programs end that do not catch SIGINT.

There is nothing to clean up yet, Python would print a traceback, and a library in C may crash whose loading is
interrupted (orjson 3.13 does).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def fatal() -> Iterator[None]:
    """Let an interrupt end the process inside of the block. Where interrupts are ignored (`nohup`) they still are."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
