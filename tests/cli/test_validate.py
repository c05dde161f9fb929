"""What the daemon would say of these files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Write

GOOD = 'version = 1\non = "manual"\n[[steps]]\nset = { a = 1 }\n'
BAD = GOOD.replace("on =", "onn =")
WARNED = GOOD.replace("manual", "nobody.sends.this")


def test_good_files_are_counted(hooksd: Command, write: Write) -> None:
    write("a.toml", GOOD)

    result = hooksd("validate")

    assert (result.status, result.err) == (0, "")
    assert "1 workflow" in result.out
    assert result.out.endswith("in hooks.d: ok\n")


def test_errors_have_their_place_and_a_hint(hooksd: Command, write: Write) -> None:
    write("deep/a.toml", BAD)

    result = hooksd("validate")

    assert result.status == 1
    assert "deep/a.toml:2:1" in result.out
    assert "did you mean `on`?" in result.out
    assert "\x1b" not in result.out
    assert "in hooks.d\n" in result.err


def test_warnings_matter_only_if_asked_for(hooksd: Command, write: Write) -> None:
    write("a.toml", WARNED)

    assert hooksd("validate").status == 0
    assert hooksd("validate", "--strict").status == 3


def test_a_file_that_cannot_be_read_is_an_error_as_it_is_for_the_daemon(hooksd: Command, write: Write) -> None:
    write("a.toml", GOOD).with_name("b.toml").symlink_to("nowhere")

    result = hooksd("validate")

    assert result.status == 1
    assert "error[H001]: it is a link to something that is not there\n --> b.toml:1:1" in result.out
    assert "ok" not in result.out
    assert [found["file"] for found in hooksd("validate", "--format", "json").objects()] == ["b.toml"]


def test_a_name_that_is_left_out_is_a_warning_as_it_is_for_the_daemon(hooksd: Command, write: Write) -> None:
    os.mkfifo(write("a.toml", GOOD).with_name("pipe.toml"))

    result = hooksd("validate")

    assert result.status == 0
    assert "warning[H001]: left out, it is not a regular file\n --> pipe.toml:1:1" in result.out
    assert result.out.endswith("in hooks.d: ok\n")
    assert hooksd("validate", "--strict").status == 3


def test_a_file_of_another_format_is_a_warning_and_no_silence(hooksd: Command, write: Write) -> None:
    write("a.toml", GOOD)
    write("b.yaml", "version: 1")
    write("c.toml.bak", "version = 1")

    result = hooksd("validate")

    assert result.status == 0
    warned = "warning[H008]: left out, only names that end with .toml or .json are read\n --> b.yaml:1:1"
    assert warned in result.out
    assert "write it as TOML or JSON" in result.out
    assert "c.toml" not in result.out


def test_files_can_be_checked_on_their_own(hooksd: Command, write: Write) -> None:
    good, _ = write("a.toml", GOOD), write("b.toml", BAD)

    assert hooksd("validate", str(good)).status == 0
    assert hooksd("validate", str(good), "hooks.d/b.toml").status == 1


def test_another_directory_can_be_checked(hooksd: Command, write: Write, home: Path) -> None:
    write("../other/a.toml", BAD)
    (home / "hooks.d").mkdir(exist_ok=True)

    assert hooksd("validate").status == 0
    assert hooksd("validate", "other").status == 1


def test_files_and_directories_cannot_be_mixed(hooksd: Command, write: Write) -> None:
    write("a.toml", GOOD)

    assert hooksd("validate", "hooks.d", "hooks.d/a.toml").status == 64


def test_json_is_one_problem_a_line(hooksd: Command, write: Write) -> None:
    write("a.toml", BAD)

    result = hooksd("validate", "--format", "json")

    found = {problem["code"]: problem for problem in result.objects()}
    assert found["H012"]["file"] == "a.toml"


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_tools_get_paths_from_where_they_are_run(hooksd: Command, write: Write, form: str) -> None:
    write("a.toml", BAD)

    result = hooksd("validate", "--format", form)

    assert result.status == 1
    assert "hooks.d/a.toml" in result.out
    if form == "sarif":
        assert json.loads(result.out)["runs"][0]["tool"]["driver"]["name"] == "hooksd"


def test_asked_for_it_says_what_each_proof_covers(
    hooksd: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "a secret of somebody")
    table = '[webhooks.{}]\nauth.preset = "{}"\nauth.secret = "env:SECRET"\n'
    write(
        "a.toml",
        f"version = 1\n{table.format('pay', 'stripe')}{table.format('lab', 'gitlab')}"
        '[webhooks.all]\nauth.type = "none"\n',
    )

    lines = hooksd("validate", "-v").out.splitlines()

    assert "webhook pay: its proof covers body, time within 5m, id" in lines
    assert "webhook lab: its proof covers nothing: whoever has the secret may write anything" in lines
    assert "webhook all: its proof covers nothing: anybody may call" in lines
    assert not any("covers" in line for line in hooksd("validate").out.splitlines())
