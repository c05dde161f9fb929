"""Standard streams that can be used whoever starts a command: none is closed, and each takes every character."""

from __future__ import annotations

import io
import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""By number, from 0."""


def prepare() -> None:
    r"""Give closed streams /dev/null, and write as `\u2026` what the encoding of a terminal does not have.

    A file that is opened later would take the number of a closed stream, and get what programs print.
    """
    for number, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
