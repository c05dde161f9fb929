"""What is said of files that cannot be read, or that are no definitions although they lie among them.

The daemon and the commands that read the files themselves say the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from hooksd.config import tree
from hooksd.config.diagnostics import Diagnostic, Severity

_WHAT_TO_DO = {
    tree.TOO_LONG: "divide it into several files, or remove it",
    tree.NOWHERE: "let it lead to a file, or remove it",
}
"""By why a file cannot be read; else it is to be made readable."""


def unreadable(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return an error for each file that should be here and cannot be read.

    Args:
        lines: `PATH: WHY` of each, as `config.tree` says it.
    """
    return tuple(_unreadable(*_parts(line)) for line in lines)


def _unreadable(path: str, why: str) -> Diagnostic:
    hint = _WHAT_TO_DO.get(why, "make it readable, or remove it")
    return about_file("H001", path, why, "error", f"nothing is applied without it: {hint}")


def left_out(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return a warning for each name that was left out. See `unreadable`."""
    return tuple(_left_out(*_parts(line)) for line in lines)


def _left_out(path: str, why: str) -> Diagnostic:
    if why != tree.NOT_READ:
        return about_file("H001", path, why, "warning", None)
    hint = "write it as TOML or JSON, or keep it elsewhere"
    if path.lower().endswith(tree.SUFFIXES):
        hint = "rename it: `.toml` and `.json` are written in lower case"
    return about_file("H008", path, why, "warning", hint)


def _parts(line: str) -> tuple[str, str]:
    path, _, why = line.rpartition(": ")
    return path, why


def about_file(code: str, file: str, message: str, severity: Severity, hint: str | None) -> Diagnostic:
    """Return a diagnostic about a file as a whole, or about the directory: `.`."""
    return Diagnostic(
        code=code,
        message=message,
        file=file,
        line=1,
        column=1,
        end_column=2,
        excerpt=None,
        hint=hint,
        severity=severity,
    )
