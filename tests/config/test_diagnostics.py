from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hooksd.config.diagnostics import (
    CODES,
    Diagnostic,
    Place,
    as_json,
    did_you_mean,
    in_order,
    render_github,
    render_sarif,
    render_text,
)


def diagnostic(
    *, file: str = "a.toml", line: int = 3, column: int = 5, end: int = 8, excerpt: str | None = "a = bcd", **more: str
) -> Diagnostic:
    return Diagnostic(
        code=more.get("code", "H012"),
        message=more.get("message", "unknown key `bcd`"),
        file=file,
        line=line,
        column=column,
        end_column=end,
        excerpt=excerpt,
        hint=more.get("hint"),
    )


def test_the_text_shows_place_line_caret_and_help() -> None:
    assert render_text([diagnostic(hint="did you mean `bce`?")], color=False) == (
        "error[H012]: unknown key `bcd`\n"
        " --> a.toml:3:5\n"
        "  |\n"
        "3 | a = bcd\n"
        "  |     ^^^\n"
        "  = help: did you mean `bce`?\n"
    )


def test_carets_stand_below_wide_characters_and_tabs() -> None:
    text = render_text([diagnostic(column=4, end=6, excerpt="\t漢 字x")], color=False).splitlines()
    assert text[-1].endswith("\t   ^^^")


def test_of_a_long_line_only_the_part_around_the_caret_is_shown() -> None:
    line = "x" * 1000 + "HERE" + "y" * 1000
    text = render_text([diagnostic(column=1001, end=1005, excerpt=line)], color=False).splitlines()
    shown, marks = text[-2], text[-1]
    assert len(shown) < 300
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    evil = diagnostic(file="a\x1b[31m.toml", excerpt="a = \x1b]0;x\x07", message="m\x9b", hint="\u202e")
    text = render_text([evil], color=False)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_colour_is_used_only_when_it_is_asked_for() -> None:
    assert "\x1b[" in render_text([diagnostic()], color=True)
    assert "\x1b" not in render_text([diagnostic()], color=False)


def test_colour_changes_nothing_else() -> None:
    coloured = render_text([diagnostic(hint="x")], color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text([diagnostic(hint="x")], color=False)


def test_a_diagnostic_without_text_shows_its_place_alone() -> None:
    assert render_text([diagnostic(excerpt=None)], color=False).splitlines()[-1] == " --> a.toml:3:5"


def test_nothing_wrong_is_no_text() -> None:
    assert render_text([], color=False) == ""


def test_the_order_is_by_file_and_place_and_nothing_is_told_twice() -> None:
    first, second, third = diagnostic(line=1), diagnostic(line=2), diagnostic(file="b.toml", line=1)
    assert in_order([third, second, first, second]) == (first, second, third)


def test_json_has_the_title_of_the_code_and_is_json() -> None:
    data = as_json(diagnostic())
    assert data["title"] == CODES["H012"]
    assert json.loads(json.dumps(data)) == data


def test_github_commands_are_escaped() -> None:
    line = render_github([diagnostic(file="a,b:c.toml", message="100%\nnext")], prefix="hooks.d/")
    assert line == (
        "::error file=hooks.d/a%2Cb%3Ac.toml,line=3,col=5,endColumn=8,title=H012 Unknown key::100%25%0Anext\n"
    )


def test_sarif_names_each_rule_once_and_each_place() -> None:
    place = Place(file="b.toml", line=1, column=2, message="first here", excerpt="x")
    one = diagnostic()
    other = Diagnostic(
        code="H030", message="twice", file="a.toml", line=1, column=1, end_column=2, excerpt="x", related=(place,),
        severity="warning",
    )  # fmt: skip
    log = json.loads(render_sarif([one, one, other], version="1.2.3", prefix="hooks.d/"))
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["H012", "H030"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    place_of = run["results"][2]["relatedLocations"][0]["physicalLocation"]
    assert place_of["artifactLocation"]["uri"] == "hooks.d/b.toml"
    assert place_of["region"]["startLine"] == 1


@pytest.mark.parametrize(
    ("word", "hint"),
    [("bild", "did you mean `build`?"), ("BUILD", "did you mean `build`?"), ("zzz", None), ("", None)],
)
def test_a_suggestion_is_made_only_when_something_is_near(word: str, hint: str | None) -> None:
    assert did_you_mean(word, ["build", "deploy"]) == hint


def test_every_code_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (H\d+): (.+)$", page, re.MULTILINE) == list(CODES.items())
