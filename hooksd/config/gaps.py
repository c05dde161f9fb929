"""What is said of files that cannot be read, or that are no definitions although they lie among them.

The daemon and the commands that read the files themselves say the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from hooksd.config.diagnostics import Diagnostic, Severity


def unreadable(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return an error for each file that should be here and cannot be read.

    Args:
        lines: `PATH: WHY` of each, as `config.tree` says it.
    """
    hint = "nothing is applied without it: make it readable, or remove it"
    return tuple(_of_file(line, "error", hint) for line in lines)


def left_out(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return a warning for each name that was left out. See `unreadable`."""
    return tuple(_of_file(line, "warning", None) for line in lines)


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


def _of_file(line: str, severity: Severity, hint: str | None) -> Diagnostic:
    path, _, why = line.rpartition(": ")
    return about_file("H001", path, why, severity, hint)
