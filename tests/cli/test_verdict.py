"""How a verdict is told."""

from __future__ import annotations

from dataclasses import replace

import click

from hooksd.cli.verdict import diagnostic_lines
from hooksd.config.diagnostics import Diagnostic, Place, as_json, render_text


def told(verdict: dict[str, object]) -> str:
    return "\n".join(click.unstyle(line) for line in diagnostic_lines(verdict))


PROBLEM = Diagnostic(
    code="H043",
    message="unknown step `bild`",
    file="a.toml",
    line=4,
    column=9,
    end_column=13,
    excerpt="if = 'steps.bild.ok'",
    hint="did you mean `build`?",
    related=(Place(file="b.toml", line=1, column=1, message="here", excerpt="x = 1"),),
)


def test_a_problem_is_told_as_it_is_where_it_is_found() -> None:
    """Through the log and the API it comes as JSON; people see the same text as from `hooksd validate`."""
    told_here = told({"state": "REJECTED", "diagnostics": [as_json(PROBLEM)]})

    assert told_here == "\n" + render_text([PROBLEM], color=False).rstrip("\n")


def test_nothing_wrong_is_nothing_said() -> None:
    assert told({"state": "IN_SYNC", "diagnostics": [], "removed": []}) == ""


def test_what_the_files_hold_cannot_steer_a_terminal() -> None:
    problem = as_json(replace(PROBLEM, message="\x1b[2J", file="\x9b"))

    assert "\x1b" not in told({"diagnostics": [problem]})
