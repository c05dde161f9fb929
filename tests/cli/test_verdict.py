"""How a verdict is told."""

from __future__ import annotations

import click

from hooksd.cli.verdict import diagnostic_lines


def told(verdict: dict[str, object]) -> str:
    return "\n".join(click.unstyle(line) for line in diagnostic_lines(verdict))


def test_a_problem_points_at_what_is_meant() -> None:
    text = told(
        {
            "state": "REJECTED",
            "diagnostics": [
                {
                    "code": "H043", "severity": "error", "message": "unknown step `bild`", "file": "a.toml", "line": 4,
                    "column": 9, "end_column": 13, "excerpt": "if = 'steps.bild.ok'", "hint": "did you mean `build`?",
                }
            ],
        }
    )  # fmt: skip

    assert text == (
        "\nerror[H043]: unknown step `bild`\n  --> a.toml:4:9\n   | if = 'steps.bild.ok'\n"
        "   |         ^^^^\n   = help: did you mean `build`?"
    )


def test_nothing_wrong_is_nothing_said() -> None:
    assert told({"state": "IN_SYNC", "diagnostics": [], "removed": []}) == ""


def test_what_the_files_hold_cannot_steer_a_terminal() -> None:
    problem = {"code": "H012", "severity": "warning", "message": "\x1b[2J", "file": "\x9b", "line": 1, "column": 1}

    assert "\x1b" not in told({"diagnostics": [problem]})
