"""Every expression and template of a definition: does it compile, and what does it read?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from hooksd.config.build import TEMPLATED
from hooksd.config.checks.written import Kind, Reading, raw_steps
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.expr.condition import compile_condition
from hooksd.expr.problem import ExpressionProblem
from hooksd.expr.template import compile_template
from hooksd.model.base import Json
from hooksd.model.workflow import Phase


class _Text(NamedTuple):
    """A text that is to be compiled."""

    path: Path
    source: str
    bare: bool
    """A condition, without braces."""
    phase: Phase | None = None
    place: int = 0
    """Of the step in its list."""


def compiled(kind: Kind, file: str, base: Path, table: Mapping[str, Json]) -> tuple[list[Reading], list[Finding]]:
    """Compile every expression of a definition.

    Returns:
        What those read that compile, and what is wrong with the others.
    """
    readings: list[Reading] = []
    findings: list[Finding] = []
    for text in _TEXTS[kind](table):
        path = base + text.path
        try:
            names = (compile_condition if text.bare else compile_template)(text.source).names
        except ExpressionProblem as problem:
            findings.append(_finding(file, path, text, problem))
        else:
            readings.append(Reading(path=path, source=text.source, names=names, phase=text.phase, index=text.place))
    return readings, findings


def _finding(file: str, path: Path, text: _Text, problem: ExpressionProblem) -> Finding:
    hint = problem.hint
    if text.bare and "{{" in text.source:
        hint = f"`{path[-1]}` takes a bare expression: leave the braces out"
    within = (problem.start, max(problem.end, problem.start + 1))
    code = "H045" if problem.message.startswith("unknown name") else "H050"
    return Finding(code=code, message=problem.message, file=file, path=path, within=within, hint=hint)


def _workflow(table: Mapping[str, Json]) -> Iterator[_Text]:
    yield from _conditions(table, "when", ())
    yield from _templates(table.get("concurrency"), ("concurrency",))
    for phase, index, step in raw_steps(table):
        yield from _step(step, phase, index)


def _step(step: Mapping[str, Json], phase: Phase, index: int) -> Iterator[_Text]:
    if "foreach" in step:
        return  # of a later version, and reported as such: it brings names of its own
    path: Path = (phase, index)
    for key, value in step.items():
        if key in ("if", "save"):
            yield from _conditions(step, key, path, phase, index)
        elif key in TEMPLATED:
            yield from _templates(value, (*path, key), phase, index)


def _webhook(table: Mapping[str, Json]) -> Iterator[_Text]:
    yield from _templates(table.get("event"), ("event",))
    yield from _templates(table.get("subject"), ("subject",))
    yield from _templates(table.get("dedupe"), ("dedupe",))


def _endpoint(table: Mapping[str, Json]) -> Iterator[_Text]:
    yield from _templates(table.get("url"), ("url",))
    yield from _templates(table.get("headers"), ("headers",))


def _role(_: Mapping[str, Json]) -> Iterator[_Text]:
    yield from ()


_TEXTS: Mapping[Kind, Callable[[Mapping[str, Json]], Iterator[_Text]]] = {
    "workflow": _workflow,
    "webhook": _webhook,
    "endpoint": _endpoint,
    "role": _role,
}


def _conditions(
    table: Mapping[str, Json], key: str, path: Path, phase: Phase | None = None, index: int = 0
) -> Iterator[_Text]:
    source = table.get(key)
    if isinstance(source, str) and source:
        yield _Text(path=(*path, key), source=source, bare=True, phase=phase, place=index)


def _templates(value: Json, path: Path, phase: Phase | None = None, index: int = 0) -> Iterator[_Text]:
    """Yield the texts in a value that are templates."""
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield _Text(path=path, source=value, bare=False, phase=phase, place=index)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _templates(item, (*path, key), phase, index)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _templates(item, (*path, place), phase, index)
