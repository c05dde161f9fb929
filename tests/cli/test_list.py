"""The definitions as tables."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command, Write

EVERYTHING = """
version = 1

[webhooks.door]
auth.type = "none"

[webhooks.shut]
auth.type = "none"
enabled   = false
path      = "/elsewhere"
event     = "shop.order"

[endpoints.chat]
url   = "https://chat.example.com/hook"
retry = { max = 4 }

[workflows.cleanup]
on    = ["manual", "shop.order"]
when  = "body.days > 3"
steps = [{ set = { a = 1 } }, { send = "chat", json = {} }]
"""


@pytest.fixture
def everything(write: Write) -> None:
    write("all.toml", EVERYTHING)
    write("roles.toml", 'version = 1\n[roles.cleaner]\nallow = ["run:true", "shell"]\n')


@pytest.mark.usefixtures("everything")
def test_each_kind_has_its_table(hooksd: Command) -> None:
    result = hooksd("list")

    assert result.status == 0, result.err
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "door POST /hooks/door none webhook.door accept all.toml:4" in lines
    assert "shut POST /elsewhere (disabled) none shop.order accept all.toml:7" in lines
    assert "cleanup manual, shop.order body.days > 3 set send all.toml:17" in lines
    assert "chat POST https://chat.example.com/hook not signed 4 attempts all.toml:13" in lines
    assert "cleaner run:true shell roles.toml:2" in lines
    assert lines.count("") == 3


def test_what_a_signature_covers_is_shown(hooksd: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE", "a secret of stripe")
    write("all.toml", 'version = 1\n[webhooks.pay]\nauth.preset = "stripe"\nauth.secret = "env:STRIPE"\n')

    assert "body, time within 5m, id" in hooksd("list").out


def test_events_are_called_what_the_provider_says_where_it_does(
    hooksd: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a secret that is long enough")
    presets = {"bot": "telegram", "repo": "github"}
    for name, preset in presets.items():
        write(f"{name}.toml", f'version = 1\n[webhooks.{name}]\nauth.preset = "{preset}"\nauth.secret = "env:TOKEN"\n')

    out = hooksd("list", "webhooks").out

    assert "webhook.bot " in out
    assert "repo.* " in out


@pytest.mark.usefixtures("everything")
def test_one_kind_alone_and_as_json(hooksd: Command) -> None:
    result = hooksd("list", "webhooks", "--json")

    door, shut = result.objects()
    assert (door["kind"], door["name"], door["file"], door["line"]) == ("webhook", "door", "all.toml", 4)
    assert shut["definition"]["path"] == "/elsewhere"


def test_nothing_defined_says_how_to_begin(hooksd: Command, write: Write) -> None:
    write("empty.toml", "version = 1\n")

    result = hooksd("list")

    assert (result.status, result.out) == (0, "")
    assert "hooksd new webhook" in result.err


def test_broken_files_are_told(hooksd: Command, write: Write) -> None:
    write("a.toml", "version = 1\nonn = 1\n")

    result = hooksd("list")

    assert result.status == 78
    assert "a.toml:2:1" in result.err
