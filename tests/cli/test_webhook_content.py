from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hooksd.cli.webhook_content import merged, wanted_of
from hooksd.errors import UsageError


def wanted(**given: Any) -> Any:
    nothing = {"event": None, "preset": None, "secret": None, "is_open": False, "keys": (), "file": None}
    return wanted_of({**nothing, **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"is_open": True}, {"auth": {"type": "none"}}),
        ({"preset": "github", "secret": "credential:g"}, {"auth": {"preset": "github", "secret": "credential:g"}}),
        ({"secret": "credential:t"}, {"auth": {"type": "bearer", "secret": "credential:t"}}),
        ({"event": "lead.created"}, {"event": "lead.created"}),
        ({"event": ""}, {"event": None}),
        ({"keys": ("answer=wait:10s",)}, {"answer": "wait:10s"}),
        ({"keys": ("enabled=false", "limits.body=1MiB")}, {"enabled": False, "limits": {"body": "1MiB"}}),
        ({"keys": ('methods=["GET", "POST"]',)}, {"methods": ["GET", "POST"]}),
        ({"keys": ("description=a = b",)}, {"description": "a = b"}),
        ({"keys": ("path=",)}, {"path": None}),
        ({"keys": ("auth.type=hmac", "auth.algorithm=sha256")}, {"auth": {"type": "hmac", "algorithm": "sha256"}}),
    ],
)
def test_options_say_keys(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert wanted(**given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"is_open": True, "preset": "github"},
        {"is_open": True, "secret": "credential:x"},
        {"file": "x.toml", "event": "a.b"},
        {"keys": ("answer",)},
        {"keys": ("=x",)},
        {"file": "missing.toml"},
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        wanted(**given)


def test_a_file_says_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leads.toml").write_text("version = 1\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"version = 2\n")))

    assert wanted(file=str(tmp_path / "leads.toml")) == b"version = 1\n"
    assert wanted(file="-") == b"version = 2\n"


def test_a_change_leaves_what_it_does_not_name() -> None:
    before = {"auth": {"type": "bearer", "secret": "credential:a"}, "limits": {"body": "1MiB"}, "event": "a"}

    assert merged(before, {"limits": {"files": 3}, "event": None}) == {
        "auth": {"type": "bearer", "secret": "credential:a"},
        "limits": {"body": "1MiB", "files": 3},
        "event": None,
    }


def test_another_kind_of_proof_replaces_the_one_before() -> None:
    before = {"auth": {"type": "bearer", "secret": "credential:a"}}

    assert merged(before, {"auth": {"type": "none"}}) == {"auth": {"type": "none"}}
    assert merged(before, {"auth": {"secret": "credential:b"}}) == {
        "auth": {"type": "bearer", "secret": "credential:b"}
    }
