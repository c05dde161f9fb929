"""The names in expressions: is there such a name here, such a step, has it run, is there such a variable?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hooksd.config.checks.words import listing
from hooksd.config.checks.written import PHASES, Kind, Reading, raw_steps, text_of
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.model.base import Json
from hooksd.model.workflow import Phase

REQUEST = frozenset({"body", "headers", "query"})
"""In scope of a webhook's own templates."""
URL = frozenset({"secrets"})
"""In scope of the URL of an endpoint, which is the same for every event."""
HEADER = REQUEST | URL | {"event"}
"""In scope of the headers of an endpoint."""
EVENT = frozenset({"event", "body", "headers", "query", "files", "vars", "secrets"})
"""In scope of `when` and `concurrency`."""
STEP = EVENT | {"steps", "run"}
"""In scope of `steps`."""
AFTER = STEP | {"error"}
"""In scope of `on_failure` and `finally`."""

MEMBERS: Mapping[str, frozenset[str]] = {
    "event": frozenset({"id", "type", "source", "subject", "time", "trust", "hop", "webhook"})
    | {"data", "body", "headers", "query", "files"},
    "run": frozenset({"id", "workflow", "ok", "url", "date"}),
    "error": frozenset({"step", "message"}),
}
"""What names hold whose shape is ours."""
RESULT = frozenset({"ok", "status", "output", "error", "attempts", "ms"})
"""What `steps.NAME` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workflow:
    """What the expressions of one workflow may refer to."""

    steps: Mapping[str, tuple[int, int]]
    """The place of each step that has an id: of its list, and in it."""
    variables: frozenset[str]


def check(kind: Kind, file: str, base: Path, table: Mapping[str, Json], readings: list[Reading]) -> Iterator[Finding]:
    """Return what is wrong with the names that the expressions of a definition read."""
    known = _known(table)
    for reading in readings:
        for name in sorted(reading.names):
            parts = name.split(".")
            problem = _root(kind, base, reading, parts[0]) or _member(known, reading, parts)
            if problem is not None:
                code, message, hint = problem
                within = place_of(name, reading.source)
                yield Finding(code=code, message=message, file=file, path=reading.path, within=within, hint=hint)


def place_of(name: str, source: str) -> tuple[int, int] | None:
    """Return where a dotted name stands in an expression; None when it is written in another way."""
    dotted = r"\s*\.\s*".join(re.escape(part) for part in name.split("."))
    match = re.search(rf"(?<![\w.'\"]){dotted}(?!\w)", source)
    return (match.start(), match.end()) if match else None


def _scope(kind: Kind, base: Path, reading: Reading) -> tuple[frozenset[str], str]:
    """Return the names in scope of an expression, and how to speak of its place."""
    if kind == "webhook":
        return REQUEST, "of a webhook's template"
    if kind == "endpoint":
        is_header = reading.path[len(base)] == "headers"
        return (HEADER, "of a header") if is_header else (URL, "of a URL, which is the same for every event")
    if reading.phase is None:
        return EVENT, f"of `{reading.path[len(base)]}`, which is read before the run begins"
    return (STEP, "of `steps`") if reading.phase == "steps" else (AFTER, f"of `{reading.phase}`")


def _root(kind: Kind, base: Path, reading: Reading, root: str) -> tuple[str, str, str | None] | None:
    names, where = _scope(kind, base, reading)
    if root in names:
        return None
    if root == "error" and kind == "workflow":
        return "H045", f"`error` is not in scope {where}", "only `on_failure` and `finally` know it"
    return "H045", f"`{root}` is not in scope {where}", f"in scope: {listing(sorted(names))}"


def _member(known: _Workflow, reading: Reading, parts: list[str]) -> tuple[str, str, str | None] | None:
    root, member = parts[0], parts[1] if len(parts) > 1 else None
    if member is None:
        return None
    if root == "steps":
        return _step(known, reading, parts)
    if root == "vars" and member not in known.variables:
        hint = did_you_mean(member, known.variables) or "set it with a `set` step, or give it a first value in `vars`"
        return "H046", f"no step sets `vars.{member}`", hint
    if root in MEMBERS and member not in MEMBERS[root]:
        hint = did_you_mean(member, MEMBERS[root]) or f"`{root}` has {listing(sorted(MEMBERS[root]))}"
        return "H045", f"`{root}` has no `{member}`", hint
    return None


def _step(known: _Workflow, reading: Reading, parts: list[str]) -> tuple[str, str, str | None] | None:
    step = parts[1]
    if step not in known.steps:
        hint = did_you_mean(step, known.steps) or 'give the step a name: `id = "..."`'
        return "H043", f"no step has the id `{step}`", hint
    if reading.phase is not None and known.steps[step] >= (PHASES.index(reading.phase), reading.index):
        itself = known.steps[step] == (PHASES.index(reading.phase), reading.index)
        message = f"step `{step}` has no result yet: " + ("this is the step itself" if itself else "it runs later")
        return "H044", message, "only the results of earlier steps can be read"
    if len(parts) > 2 and parts[2] not in RESULT:
        hint = did_you_mean(parts[2], RESULT) or f"it has {listing(sorted(RESULT))}; what it returned is in `output`"
        return "H045", f"the result of a step has no `{parts[2]}`", hint
    return None


def _known(table: Mapping[str, Json]) -> _Workflow:
    steps: dict[str, tuple[int, int]] = {}
    variables: set[str] = set(_keys(table.get("vars")))
    for phase, index, step in raw_steps(table):
        if name := text_of(step, "id"):
            steps.setdefault(name, _order(phase, index))
        variables.update(_keys(step.get("set")))
    return _Workflow(steps=steps, variables=frozenset(variables))


def _order(phase: Phase, index: int) -> tuple[int, int]:
    return PHASES.index(phase), index


def _keys(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
