"""One definition, or everything about one event."""

from __future__ import annotations

import pytest

from tests.cli.conftest import EVENT, RUN, STORY, Command, Write

TWICE = """
version = 1
[webhooks.chat]
auth.type = "none"
[endpoints.chat]
url = "https://chat.example.com/hook"
"""


def test_a_name_shows_every_definition_that_has_it(hooksd: Command, write: Write) -> None:
    write("a.toml", TWICE)

    out = hooksd("show", "chat").out

    assert "webhook/chat  a.toml:3" in out
    assert "endpoint/chat  a.toml:5" in out
    assert '"url": "https://chat.example.com/hook"' in out


def test_a_kind_before_the_name_shows_one(hooksd: Command, write: Write) -> None:
    write("a.toml", TWICE)

    (shown,) = hooksd("show", "endpoint/chat", "--json").objects()

    assert shown["kind"] == "endpoint"


def test_an_unknown_name_has_a_suggestion(hooksd: Command, write: Write) -> None:
    write("a.toml", TWICE)

    result = hooksd("show", "chta")

    assert result.status == 64
    assert "did you mean `chat`?" in result.err


@pytest.mark.usefixtures("log")
def test_an_id_shows_every_record_in_full(hooksd: Command) -> None:
    text = hooksd("show", EVENT).out
    trees = hooksd("show", RUN, "--json").objects()

    assert [tree["type"] for tree in trees] == [record.type for record in STORY[:-1]]
    assert '"code": 3' in text
    assert "\x1b" not in text
