"""What a check says: a problem at a path of a document, before anyone has looked up line and column.

Checks are pure and know no text; `config.document` turns their findings into diagnostics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hooksd.config.diagnostics import Severity
from hooksd.config.position import Path

Part = Literal["key", "value", "header"]
"""What is meant at a path: its key, its value, or for a table the line that opens it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another place that has to do with a finding."""

    file: str
    path: Path
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem at a path of one file."""

    code: str
    message: str
    file: str
    path: Path
    part: Part = "value"
    hint: str | None = None
    within: tuple[int, int] | None = None
    """Characters of the text at `path` that are meant: first, and behind the last."""
    related: tuple[Elsewhere, ...] = ()
    severity: Severity = "error"
