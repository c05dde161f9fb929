from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from hooksd.model.secret import Secret
from hooksd.telemetry.log import Level, configure, get_logger, neutralise

HIDDEN = Secret(b"hunter2")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_what_is_no_terminal_gets_one_json_object_a_line() -> None:
    out = io.StringIO()
    configure(stream=out)

    get_logger().info("run.ended", workflow="deploy", seconds=1.5)

    line = json.loads(out.getvalue())
    assert list(line) == ["at", "level", "event", "workflow", "seconds"]
    assert line["level"] == "info"
    assert line["event"] == "run.ended"
    assert line["at"].endswith("Z")


def journal_of(file: TextIO) -> str:
    status = os.fstat(file.fileno())
    return f"{status.st_dev}:{status.st_ino}"


@pytest.mark.parametrize(("level", "priority"), [("debug", 7), ("info", 6), ("warning", 4), ("error", 3)])
def test_the_journal_gets_lines_with_their_priority(tmp_path: Path, level: Level, priority: int) -> None:
    with (tmp_path / "journal").open("w+") as out:
        configure(stream=out, level="debug", journal=journal_of(out))

        getattr(get_logger(), level)("run.ended")

        line = (tmp_path / "journal").read_text()
    assert line.startswith(f'<{priority}>{{"at": ')
    assert json.loads(line.removeprefix(f"<{priority}>"))["level"] == level


def test_every_line_of_a_message_for_people_has_its_priority_in_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as out:
        configure(json=False, stream=out, journal=journal_of(out))

        get_logger().error("config.rejected", diagnostics="error[H001]: x\n  --> a.toml:1:1")

        lines = (tmp_path / "journal").read_text().splitlines()
    assert len(lines) > 1
    assert all(line.startswith("<3>") for line in lines)


def test_a_file_gets_no_priorities_whatever_the_journal_is(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w+") as out, (tmp_path / "b").open("w+") as other:
        configure(stream=out, journal=journal_of(other))

        get_logger().error("run.ended")

        assert (tmp_path / "a").read_text().startswith("{")


def test_a_terminal_gets_lines_for_people() -> None:
    out = Terminal()
    configure(stream=out)

    get_logger().info("run.ended", workflow="deploy")

    assert "run.ended" in out.getvalue()
    assert "{" not in out.getvalue()
    assert "\x1b[" in out.getvalue()


def test_they_have_no_colours_where_none_are_wanted() -> None:
    out = Terminal()
    configure(stream=out, color=False)

    get_logger().info("run.ended", workflow="deploy")

    assert "run.ended" in out.getvalue()
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_secret_in_a_line_is_hidden_wherever_it_stands(as_json: bool) -> None:  # noqa: FBT001
    out = io.StringIO()
    configure(json=as_json, stream=out)

    get_logger().info("x", plain=Secret(b"hunter2"), nested={"a": [Secret(b"hunter2")]})
    logging.getLogger("library").warning("%s and %r", Secret(b"hunter2"), {"k": Secret(b"hunter2")})

    assert "hunter2" not in out.getvalue()
    assert "***" in out.getvalue()


def test_a_traceback_shows_no_values_of_variables() -> None:
    out = io.StringIO()
    configure(json=False, stream=out)

    def judge(password: str) -> int:
        return int(f"{len(password)} characters")

    try:
        judge(HIDDEN.text())
    except ValueError:
        get_logger().exception("request.failed")

    assert "ValueError: invalid literal for int() with base 10: '7 characters'" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_data_cannot_steer_a_terminal_or_forge_a_line() -> None:
    out = Terminal()
    configure(json=False, stream=out)

    get_logger().warning("run.ended", error="\x1b]0;owned\x07\n2026 [error] forged")
    logging.getLogger("library").warning("\x1b[2J")

    assert "\x1b]" not in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
    assert out.getvalue().count("\n") == 2


def test_diagnostics_keep_their_lines_on_a_terminal() -> None:
    out = io.StringIO()
    configure(json=False, stream=out)

    get_logger().error("config.rejected", diagnostics="error[H001]\n  --> a.toml:1:1")

    assert "error[H001]\n  --> a.toml:1:1" in out.getvalue()


def test_lines_below_the_level_are_not_written() -> None:
    out = io.StringIO()
    configure(level="warning", stream=out)

    get_logger().info("event.accepted")

    assert out.getvalue() == ""


def test_libraries_are_not_heard_of_every_request() -> None:
    out = io.StringIO()
    configure(level="debug", stream=out)

    logging.getLogger("httpx").info("HTTP Request: GET https://example.com/?key=hunter2")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    assert out.getvalue() == ""


def test_libraries_are_heard_of_what_goes_wrong() -> None:
    out = io.StringIO()
    configure(stream=out)

    logging.getLogger("asyncio").warning("a task was never awaited")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")

    events = [json.loads(line)["event"] for line in out.getvalue().splitlines()]
    assert events == ["a task was never awaited", "Exception in ASGI application"]


def test_configuring_again_replaces_the_first_configuration() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(stream=first)
    configure(stream=second)

    get_logger().info("daemon.started")

    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_text_without_control_characters_stays_as_it_is() -> None:
    assert neutralise("grüße\tund\nmehr") == "grüße\tund\nmehr"
    assert neutralise("\x9b31m\x00") == "\\x9b31m\\x00"
    assert neutralise("abc\u202edcba\u2028") == "abc\\u202edcba\\u2028"
