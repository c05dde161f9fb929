"""Faults in the system calls of a whole daemon, by `strace`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def strace(call: str, fault: str, output: Path) -> tuple[str, ...]:
    """Return the command in front of a program that gives its system calls a fault; it becomes the program.

    Args:
        call: The system call.
        fault: What strace(1) writes behind `inject=CALL`, like `:signal=SIGKILL:when=3`; empty to watch only.
        output: Where the calls are written down.
    """
    options = ("-e", f"trace={call}", "-e", "signal=none", *(("-e", f"inject={call}{fault}") if fault else ()))
    return ("strace", "-D", "-f", "-qq", "-o", str(output), *options)
