"""What the models refuse, in the words of the file: keys, types, values, and verbs of steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from hooksd.config.checks.keys import unknown_key
from hooksd.config.checks.words import MISSING, PATTERNS, TYPED, UNIONS, listing
from hooksd.config.checks.written import PHASES, Kind
from hooksd.config.diagnostics import did_you_mean
from hooksd.config.finding import Finding, Part
from hooksd.config.kinds import EXPECTED, found
from hooksd.config.position import Path
from hooksd.model.auth import AUTH_MODELS
from hooksd.model.base import NAME_PATTERN, Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.file import RESERVED_KEYS
from hooksd.model.role import Role
from hooksd.model.step import VERBS, verbs_in
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

MODELS: Mapping[Kind, type[Webhook | Endpoint | Workflow | Role]] = {
    "webhook": Webhook,
    "endpoint": Endpoint,
    "workflow": Workflow,
    "role": Role,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """One error of pydantic, found in the table."""

    type: str
    message: str
    context: Mapping[str, Any]
    missing: str
    """The last part of its place: the key that is missing, if that is the problem."""
    path: Path
    part: Part
    union: Path | None
    """The path of the value that could be of several kinds, if the problem is with one of them."""
    value: Json


def explain(kind: Kind, file: str, base: Path, table: Mapping[str, Json], error: ValidationError) -> Iterator[Finding]:
    """Turn what a model refuses into findings.

    Args:
        kind: Of the definition.
        file: The file.
        base: The path of the definition in it.
        table: The definition, as it was given to the model.
        error: What the model said.
    """
    unions: dict[Path, list[_Problem]] = {}
    findings: list[Finding] = []
    for raw in error.errors(include_url=False):
        problem = _resolve(dict(raw), table)
        if problem.union is not None:
            unions.setdefault(problem.union, []).append(problem)
        elif not _is_echo(problem):
            findings.append(_finding(kind, file, base, table, problem))
    for path, problems in unions.items():
        findings += _union(kind, file, base, table, path, problems)
    meant = {(finding.path[:-1], finding.hint) for finding in findings if finding.code == "H012" and finding.hint}
    return (finding for finding in findings if (finding.path, _misspelt(finding)) not in meant)


def _misspelt(finding: Finding) -> str | None:
    """Return what is said of another key, if the key that is missing is that one with a slip."""
    key = finding.message.removeprefix("missing key ")
    return f"did you mean {key}?" if finding.code == "H015" else None


def _is_echo(problem: _Problem) -> bool:
    """Tell whether a list is called too short only because its items have problems of their own."""
    return problem.type == "too_short" and bool(problem.value)


def _resolve(raw: dict[str, Any], table: Mapping[str, Json]) -> _Problem:
    path: Path = ()
    part: Part = "value"
    union: Path | None = None
    chosen: Path | None = None
    value: Json = table
    for place in raw["loc"]:
        if place == "[key]":
            part = "key"
        elif path != chosen and _has_kinds(path):
            chosen = path
        elif _has(value, place):
            value = value[place]
            path = (*path, place)
        elif isinstance(place, str) and raw["type"] != "missing":
            union = path
    return _Problem(
        type=str(raw["type"]),
        message=str(raw["msg"]),
        context=raw.get("ctx", {}),
        missing=str(raw["loc"][-1]) if raw["loc"] else "",
        path=path,
        part=part,
        union=union,
        value=value,
    )


def _has_kinds(path: Path) -> bool:
    """Tell whether the next part of a place names the kind of a step or of `auth`, and no key."""
    if path[:1] == ("auth",):
        return all(part == "of" or isinstance(part, int) for part in path[1:]) and path[-1] != "of"
    return len(path) == 2 and path[0] in PHASES and isinstance(path[1], int)


def _has(value: Json, place: str | int) -> bool:
    if isinstance(place, int):
        return isinstance(value, list) and place < len(value)
    return isinstance(value, Mapping) and place in value


def _union(
    kind: Kind, file: str, base: Path, table: Mapping[str, Json], path: Path, problems: list[_Problem]
) -> Iterator[Finding]:
    """Report a value that could be of several kinds once, or what is wrong inside of the kind that it is."""
    inside = [problem for problem in problems if problem.path != path or problem.type == "missing"]
    if inside:
        yield from (_finding(kind, file, base, table, problem) for problem in inside)
        return
    value = problems[0].value
    expected = UNIONS.get(str(path[-1]), "another kind of value")
    options = [option for problem in problems for option in _options(problem)]
    hint = did_you_mean(value, options, '"') if isinstance(value, str) else None
    code, what = ("H017", f'"{value}"') if isinstance(value, str) else ("H016", found(value))
    yield Finding(code=code, message=f"expected {expected}, found {what}", file=file, path=base + path, hint=hint)


def _finding(kind: Kind, file: str, base: Path, table: Mapping[str, Json], problem: _Problem) -> Finding:
    if problem.type == "extra_forbidden":
        return unknown_key(kind, file, base, problem.path, table)
    if problem.type == "step_verb":
        return _verb(file, base, table, problem)
    if problem.type == "auth_kind":
        return _auth(file, base, problem)
    part = "header" if problem.type == "missing" else problem.part
    code, message, hint = _say(problem)
    return Finding(code=code, message=message, file=file, path=base + problem.path, part=part, hint=hint)


def _say(problem: _Problem) -> tuple[str, str, str | None]:
    """Return code, message and hint for one error."""
    last = next((part for part in reversed(problem.path) if isinstance(part, str)), "")
    match problem.type:
        case "missing":
            hint = MISSING.get(problem.missing, f"add `{problem.missing} = ...`")
            return "H015", f"missing key `{problem.missing}`", hint
        case "literal_error":
            return _literal(problem)
        case "string_pattern_mismatch":
            pattern = str(problem.context["pattern"])
            code = "H023" if pattern == NAME_PATTERN else "H017"
            what = (
                f"`{last}` is no name that is allowed here" if problem.part == "key" else f"this does not fit `{last}`"
            )
            return code, what, PATTERNS.get(pattern, f"it has to match {pattern}")
        case "duration" | "size":
            return "H018", problem.message, _unit(problem)
        case "shell_template":
            hint = 'pass data with `env.NAME = "{{ ... }}"` and read it as "$NAME", or use `run` with a list'
            return "H051", problem.message, hint
        case kind if kind in EXPECTED:
            of = "" if kind != "tuple_type" else " of steps" if last in PHASES else " of texts"
            return "H016", f"expected {EXPECTED[kind]}{of}, found {found(problem.value)}", TYPED.get(last)
        case _:
            return "H017", _bounds(problem), None


def _literal(problem: _Problem) -> tuple[str, str, str | None]:
    options = _options(problem)
    expected = listing(options, '"') if len(options) > 1 or not options else f'"{options[0]}"'
    if not isinstance(problem.value, str):
        return "H016", f"expected {expected}, found {found(problem.value)}", None
    hint = did_you_mean(problem.value, options, '"')
    return "H017", f'expected {expected}, found "{problem.value}"', hint


def _options(problem: _Problem) -> list[str]:
    return re.findall(r"'([^']*)'", str(problem.context.get("expected", "")))


def _unit(problem: _Problem) -> str | None:
    if isinstance(problem.value, bool) or not isinstance(problem.value, int | float):
        return None
    unit = "s" if problem.type == "duration" else "B"
    return f'did you mean "{problem.value}{unit}"?'


def _bounds(problem: _Problem) -> str:
    """Return pydantic's message about a bound in our words, or a custom message as it is."""
    context = problem.context
    match problem.type:
        case "greater_than_equal":
            return f"expected at least {context['ge']}, found {problem.value}"
        case "less_than_equal":
            return f"expected at most {context['le']}, found {problem.value}"
        case "too_short" | "string_too_short":
            return "this must not be empty"
        case "string_too_long":
            return f"longer than {context['max_length']} characters"
        case _:
            return problem.message


def _verb(file: str, base: Path, table: Mapping[str, Json], problem: _Problem) -> Finding:
    """Explain a step that has no verb, or several."""
    path = base + problem.path
    if not isinstance(problem.value, Mapping):
        message = f"expected a table, found {found(problem.value)}"
        return Finding(code="H016", message=message, file=file, path=path, hint=None)
    several = verbs_in(problem.value)
    if several:
        message = f"a step has exactly one verb, this one has {' and '.join(f'`{verb}`' for verb in several)}"
        last = (*path, several[-1])
        return Finding(code="H019", message=message, file=file, path=last, part="key", hint="make each a step")
    for key in problem.value:
        if key in RESERVED_KEYS and RESERVED_KEYS[key] == "step":
            return unknown_key("workflow", file, base, (*problem.path, key), table)
        if hint := did_you_mean(key, VERBS):
            return Finding(
                code="H019", message=f"unknown verb `{key}`", file=file, path=(*path, key), part="key", hint=hint
            )
    return Finding(
        code="H019", message="this step has no verb", file=file, path=path, part="header",
        hint=f"say what it does: {listing(VERBS)}",
    )  # fmt: skip


def _auth_key(file: str, path: Path, auth: Mapping[str, Json]) -> Finding | None:
    """Explain a key that is meant to say which kind of `auth` it is."""
    known = {key for model in AUTH_MODELS.values() for key in model.model_fields}
    for key in auth:
        if key not in known and (hint := did_you_mean(key, ("preset", "type"), likeness=0.7)):
            message = f"unknown key `{key}`"
            return Finding(code="H012", message=message, file=file, path=(*path, key), part="key", hint=hint)
    return None


def _auth(file: str, base: Path, problem: _Problem) -> Finding:
    """Explain an `auth` that names no known type and no preset."""
    path = base + problem.path
    if not isinstance(problem.value, Mapping):
        message = f"expected a table, found {found(problem.value)}"
        return Finding(code="H016", message=message, file=file, path=path, hint=TYPED["auth"])
    types = sorted(name for name in AUTH_MODELS if name != "preset")
    written = problem.value.get("type")
    if written is None:
        if meant := _auth_key(file, path, problem.value):
            return meant
        hint = f"add `auth.preset`, or `auth.type`: {listing(types)}"
        message = "`auth` names neither a preset nor a type"
        return Finding(code="H020", message=message, file=file, path=path, part="key", hint=hint)
    if not isinstance(written, str):
        message = f"expected a text, found {found(written)}"
        return Finding(code="H016", message=message, file=file, path=(*path, "type"), hint=f"use {listing(types)}")
    hint = did_you_mean(written, types, '"') or f"use {listing(types)}, or `auth.preset`"
    return Finding(code="H020", message=f'unknown type "{written}"', file=file, path=(*path, "type"), hint=hint)
