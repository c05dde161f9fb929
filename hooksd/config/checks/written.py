"""A definition as it is written: the table, where it stands, and the model if it is valid.

Checks look at tables rather than models, so that a mistake in one key does not hide another, and paths are the file's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hooksd.config.position import Path
from hooksd.model.base import Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Phase, Workflow

Kind = Literal["webhook", "endpoint", "workflow", "role"]
Model = Webhook | Endpoint | Workflow | Role
PHASES: tuple[Phase, ...] = ("steps", "on_failure", "finally")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An expression or template that compiles, and what it reads."""

    path: Path
    """In the document."""
    source: str
    names: frozenset[str]
    phase: Phase | None = None
    """Of the step that it belongs to; None outside steps."""
    index: int = 0
    """Of the step in its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One definition of a file."""

    kind: Kind
    name: str
    file: str
    line: int
    """From 1, where it begins."""
    path: Path
    """Of its table; () for the workflow that is the file itself."""
    table: Mapping[str, Json]
    value: Model | None
    """None: the table has errors."""
    digest: str
    """`sha256:...` of the table in canonical JSON."""
    is_sound: bool = False
    """Nothing is wrong with it on its own, so it can be tried with its secrets."""
    readings: tuple[Reading, ...] = ()
    sends: tuple[str, ...] = ()
    """Types of the events that it gives rise to, as patterns."""

    @property
    def is_file(self) -> bool:
        """Tell whether this is the workflow that the file itself is."""
        return not self.path


def raw_steps(table: Mapping[str, Json]) -> Iterator[tuple[Phase, int, Mapping[str, Json]]]:
    """Yield the steps of a workflow's table that are tables, with their list and their place in it."""
    for phase in PHASES:
        steps = table.get(phase)
        if isinstance(steps, list):
            for index, step in enumerate(steps):
                if isinstance(step, dict):
                    yield phase, index, step


def text_of(table: Mapping[str, Json], key: str) -> str | None:
    """Return a value of a table if it is a text."""
    value = table.get(key)
    return value if isinstance(value, str) else None


def texts_of(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts of a value that is one or a list of them, with their paths."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield (*path, index), item
