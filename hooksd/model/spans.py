"""Lengths of time for people. Apart from the models, so that commands which only read the log start fast."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str) -> float | None:
    """Read `"500ms"`, `"30s"`, `"10m"`, `"1.5h"` or `"2d"` as seconds; None when it is anything else."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)", text)
    return None if match is None else float(match[1]) * _SECONDS[match[2]]


def format_duration(seconds: float) -> str:
    """Write seconds for people: `"350ms"`, `"2.5s"`, `"10m"`, `"1h 5m"`, `"3d 2h"`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + "s"
    minutes = round(seconds / 60) if seconds >= 600 else seconds / 60
    if minutes < 60:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole}m {rest}s" if rest and seconds < 600 else f"{round(minutes)}m"
    hours, left = divmod(round(minutes), 60)
    if hours < 24:
        return f"{hours}h {left}m" if left else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if hours else f"{days}d"
