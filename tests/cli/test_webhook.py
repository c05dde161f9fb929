from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from tests.cli.conftest import Command, FakeDaemon

ALL = "/api/v1/webhooks"
LEADS = "/api/v1/webhooks/leads"
UUID = "885d0000-0000-4000-8000-000000000001"
VIEW: dict[str, Any] = {
    "id": "leads",
    "name": "leads",
    "path": "/hooks/leads",
    "url": None,
    "uuid": None,
    "methods": ["POST"],
    "auth": "none",
    "event": "lead.created",
    "events": "lead.created",
    "created_at": "2026-11-22T12:00:00.000Z",
    "created_by": "ada",
    "updated_at": "2026-11-22T13:00:00.000Z",
    "updated_by": None,
    "digest": "sha256:1",
    "origin": {"file": "webhooks/leads.toml", "line": 3},
    "definition": {"auth": {"type": "none"}, "event": "lead.created"},
}
SHOWN = """\
webhook  leads
url      http://127.0.0.1:9000/hooks/leads
auth     none
event    lead.created
created  2026-11-22T12:00:00.000Z by ada
updated  2026-11-22T13:00:00.000Z
file     webhooks/leads.toml:3
"""
TEXT = b"version = 1\n[webhooks.leads]\nauth.type = 'none'\n"
PROBLEM = {
    "title": "Unprocessable Content",
    "detail": "webhooks/leads.toml would be refused",
    "diagnostics": [
        {
            "code": "H012", "title": "Unknown key", "severity": "error", "message": "unknown key `evnt`",
            "file": "webhooks/leads.toml", "line": 3, "column": 1, "end_column": 5, "excerpt": 'evnt = "x"',
            "hint": "did you mean `event`?", "related": [],
        }
    ],
}  # fmt: skip


@pytest.fixture
def editor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that appends a line each time."""
    script = home / "edit.py"
    script.write_text("import sys\nwith open(sys.argv[1], 'a') as file:\n    file.write('# seen\\n')\n")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")


def test_a_webhook_is_created_from_options(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 201, VIEW)

    result = hooksd("webhook", "create", "leads", "--open", "--event", "lead.created", "--set", "enabled=false")

    assert (result.status, result.out) == (0, SHOWN)
    assert daemon.asked == [
        (f"POST {ALL}", {"name": "leads", "auth": {"type": "none"}, "event": "lead.created", "enabled": False})
    ]


def test_a_webhook_is_created_from_nothing(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 201, VIEW)

    result = hooksd("webhook", "create", "-j")

    assert result.objects() == [VIEW]
    assert daemon.asked == [(f"POST {ALL}", {"name": None})]


def test_a_url_that_nobody_can_guess_is_shown_once(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 201, {**VIEW, "path": "/hooks", "uuid": UUID})
    daemon.says(f"GET {ALL}", 200, {"webhooks": [{**VIEW, "path": "/hooks", "uuid": "***"}]})

    created, listed = hooksd("webhook", "create"), hooksd("webhook", "list")

    assert f"/hooks?uuid={UUID}" in created.out
    assert "Keep the URL" in created.err
    assert "/hooks?uuid=***" in listed.out


def test_a_webhook_is_found_by_what_leads_to_it(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {ALL}?uuid={UUID}", 200, {"webhooks": [VIEW]})
    daemon.says(f"GET {LEADS}", 200, VIEW)
    daemon.says(f"PUT {LEADS}", 200, VIEW)
    daemon.says(f"DELETE {LEADS}", 204, b"")

    assert hooksd("webhook", "get", UUID).out == SHOWN
    assert hooksd("webhook", "edit", UUID, "--event", "lead.new").status == 0
    assert hooksd("webhook", "delete", UUID, "--yes").err == "webhook leads is gone\n"


def test_what_leads_nowhere_is_unknown(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {ALL}?uuid={UUID}", 200, {"webhooks": []})

    assert hooksd("webhook", "get", UUID).status == 1


def test_a_webhook_is_created_from_a_file(hooksd: Command, daemon: FakeDaemon, home: Path) -> None:
    daemon.says(f"POST {ALL}", 201, VIEW)
    (home / "leads.toml").write_bytes(TEXT)

    assert hooksd("webhook", "create", "--file", "leads.toml").status == 0
    assert daemon.asked == [(f"POST {ALL}", TEXT.decode())]


@pytest.mark.usefixtures("editor")
def test_a_webhook_is_created_in_an_editor(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 201, VIEW)

    assert hooksd("webhook", "create", "leads", "--event", "lead.created", "--edit").status == 0
    assert daemon.asked[0][1].endswith('event     = "lead.created"\n# seen\n')


def test_what_the_daemon_refuses_is_shown_as_validate_shows_it(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 422, PROBLEM)

    result = hooksd("webhook", "create", "leads", "--set", "evnt=x")

    assert result.status == 1
    assert result.out == ""
    assert "error[H012]" in result.err
    assert "did you mean `event`?" in result.err
    assert "would be refused" in result.err


def test_a_refusal_is_json_too(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"POST {ALL}", 422, PROBLEM)

    result = hooksd("webhook", "create", "leads", "--json")

    assert (result.status, result.objects()) == (1, [PROBLEM])


def test_all_are_listed(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {ALL}", 200, {"webhooks": [VIEW]})

    shown, objects = hooksd("webhook", "list"), hooksd("webhook", "list", "-j")

    assert shown.out.splitlines()[1].split() == [
        "leads", "/hooks/leads", "none", "lead.created", "2026-11-22T13:00:00.000Z", "webhooks/leads.toml:3",
    ]  # fmt: skip
    assert objects.objects() == [VIEW]


def test_none_is_said_kindly(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {ALL}", 200, {"webhooks": []})

    result = hooksd("webhook", "list")

    assert (result.status, result.out) == (0, "")
    assert "hooksd webhook create" in result.err


def test_one_is_shown(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, {**VIEW, "events": "lead\x1b[2J"})

    assert "lead\\x1b[2J" in hooksd("webhook", "get", "leads").out
    assert hooksd("webhook", "get", "leads", "--json").objects()[0]["id"] == "leads"


def test_the_file_of_one_is_shown(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, TEXT)

    assert hooksd("webhook", "get", "leads", "--toml").out == TEXT.decode()


@pytest.mark.parametrize("arguments", [["get", "x y"], ["get", "x y", "--toml"], ["edit", "x y"], ["delete", "x y"]])
def test_an_unknown_one_is_told_in_the_words_of_the_daemon(
    hooksd: Command, daemon: FakeDaemon, arguments: list[str]
) -> None:
    daemon.says(f"GET {ALL}/x%20y", 404, {"title": "Not Found", "detail": "there is no webhook 'x y'"})

    result = hooksd("webhook", *arguments)

    assert (result.status, result.out) == (1, "")
    assert "there is no webhook 'x y'" in result.err


def test_options_change_what_they_say(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, VIEW)
    daemon.says(f"PUT {LEADS}", 200, VIEW)

    assert hooksd("webhook", "edit", "leads", "--set", "limits.body=1MiB", "--set", "event=").status == 0
    assert daemon.asked[1] == (
        f"PUT {LEADS}",
        {"auth": {"type": "none"}, "event": None, "limits": {"body": "1MiB"}},
    )


def test_a_file_replaces_it(hooksd: Command, daemon: FakeDaemon, home: Path) -> None:
    daemon.says(f"PUT {LEADS}", 200, VIEW)
    (home / "leads.toml").write_bytes(TEXT)

    assert hooksd("webhook", "edit", "leads", "--file", "leads.toml").status == 0
    assert daemon.asked == [(f"PUT {LEADS}", TEXT.decode())]


@pytest.mark.usefixtures("editor")
def test_without_options_its_file_is_edited(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, TEXT)
    daemon.says(f"PUT {LEADS}", 200, VIEW)

    assert hooksd("webhook", "edit", "leads").out == SHOWN
    assert daemon.asked[1] == (f"PUT {LEADS}", TEXT.decode() + "# seen\n")


@pytest.mark.usefixtures("editor")
def test_a_refused_edit_is_offered_again_with_what_is_wrong(
    hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.says(f"GET {LEADS}", 200, TEXT)
    daemon.says(f"PUT {LEADS}", 422, PROBLEM)
    daemon.says(f"PUT {LEADS}", 200, VIEW)
    monkeypatch.setattr("hooksd.cli.webhook._is_terminal", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)

    result = hooksd("webhook", "edit", "leads")

    assert result.status == 0
    assert "error[H012]" in result.err
    assert daemon.asked[-1][1] == TEXT.decode() + "# seen\n# seen\n"


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_text_that_is_given_up_is_not_lost(
    hooksd: Command,
    daemon: FakeDaemon,
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,  # noqa: FBT001 - a parameter
) -> None:
    daemon.says(f"GET {LEADS}", 200, TEXT)
    daemon.says(f"PUT {LEADS}", 422, PROBLEM)
    monkeypatch.setattr("hooksd.cli.webhook._is_terminal", lambda: is_terminal)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)

    result = hooksd("webhook", "edit", "leads")

    assert result.status == 1
    found = re.search(r"your text is in (\S+)", result.err)
    assert found is not None
    assert Path(found[1]).read_text() == TEXT.decode() + "# seen\n"
    Path(found[1]).unlink()


@pytest.mark.usefixtures("editor")
def test_whoever_interrupts_keeps_the_text_too(
    hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> bool:
        raise click.Abort

    daemon.says(f"GET {LEADS}", 200, TEXT)
    daemon.says(f"PUT {LEADS}", 422, PROBLEM)
    monkeypatch.setattr("hooksd.cli.webhook._is_terminal", lambda: True)
    monkeypatch.setattr("click.confirm", interrupted)

    found = re.search(r"your text is in (\S+)", hooksd("webhook", "edit", "leads").err)

    assert found is not None
    assert Path(found[1]).read_text().endswith("# seen\n")
    Path(found[1]).unlink()


def test_an_editor_that_changes_nothing_changes_nothing(
    hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.says(f"GET {LEADS}", 200, TEXT)
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)

    result = hooksd("webhook", "edit", "leads")

    assert result.status == 1
    assert "nothing was changed" in result.err
    assert len(daemon.asked) == 1


def test_webhooks_are_removed_by_name(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, VIEW)
    daemon.says(f"DELETE {LEADS}", 204, b"")

    result = hooksd("webhook", "delete", "leads", "--yes")

    assert (result.status, result.err) == (0, "webhook leads is gone\n")
    assert daemon.asked[-1] == (f"DELETE {LEADS}", None)


def test_whoever_does_not_agree_removes_nothing(
    hooksd: Command, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.says(f"GET {LEADS}", 200, VIEW)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    result = hooksd("webhook", "delete", "leads")

    assert result.status == 130
    assert "remove webhook leads (webhooks/leads.toml:3)?" in result.err
    assert len(daemon.asked) == 1


def test_one_that_is_needed_is_not_removed(hooksd: Command, daemon: FakeDaemon) -> None:
    daemon.says(f"GET {LEADS}", 200, VIEW)
    daemon.says(f"DELETE {LEADS}", 409, {"title": "Conflict", "detail": "webhook 'leads' is still needed"})

    result = hooksd("webhook", "delete", "leads", "-y")

    assert result.status == 1
    assert "still needed" in result.err
