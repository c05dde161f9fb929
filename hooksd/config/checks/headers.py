"""Headers of endpoints: can each be sent, and is what it is made of kept where it may be kept?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hooksd.config.endpoints import reads_event
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.expr.markup import is_template
from hooksd.expr.problem import ExpressionProblem
from hooksd.expr.template import compile_template
from hooksd.model.base import Json
from hooksd.model.header import CREDENTIAL_HEADERS, header_problem, name_problem

_MAKERS = frozenset({"form", "multipart"})


def check(file: str, base: Path, table: Mapping[str, Json]) -> Iterator[Finding]:
    """Return every header of an endpoint that can never be sent, or must not be made as it is."""
    headers = table.get("headers")
    first: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        path = (*base, "headers", name)
        if problem := _of_name(name, first, table):
            yield Finding(code="H082", message=problem, file=file, path=path, part="key")
        elif isinstance(value, str) and (wrong := _of_value(name, value)):
            message, hint = wrong
            yield Finding(code="H082", message=message, file=file, path=path, hint=hint)
        first.setdefault(name.lower(), name)


def _of_name(name: str, first: Mapping[str, str], table: Mapping[str, Json]) -> str | None:
    if problem := name_problem(name):
        return problem
    if name.lower() in first:
        return f"the header {name} is here twice: as {first[name.lower()]} too"
    if name.lower() == "content-type" and table.get("content_type") in _MAKERS:
        return f'`content_type = "{table["content_type"]}"` says what the body is: leave the header out'
    return None


def _of_value(name: str, value: str) -> tuple[str, str | None] | None:
    if not is_template(value):
        problem = header_problem(name, value)
        return (problem, None) if problem else None
    try:
        template = compile_template(value)
    except ExpressionProblem:
        return None  # reported as such
    if not reads_event(template):
        return None
    if any(read.startswith("secrets") for read in template.names):
        hint = "what is made of an event is written to the log: make two headers of it"
        return f"the header {name} reads both a secret and the event", hint
    if name.lower() in CREDENTIAL_HEADERS:
        hint = "credentials are secrets: `{{ secrets.NAME }}`, `bearer` or `basic_auth`"
        return (
            f"the header {name} holds a credential, and would take it from the event, which is written to the log",
            hint,
        )
    return None
