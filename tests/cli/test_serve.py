"""The way from the command line into the daemon; the daemon itself is tested end to end."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hooksd.config.settings import Settings
from hooksd.daemon import wiring
from hooksd.errors import JournalError, JournalFull
from hooksd.telemetry import log
from tests.cli.conftest import Command

OR = "or name another directory with --log-dir"


def test_it_serves_with_the_settings_of_the_command_line(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    configured: list[dict[str, object]] = []
    monkeypatch.setattr(wiring, "serve", served.append)
    monkeypatch.setattr(log, "configure", lambda **how: configured.append(how))
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)

    result = hooksd("serve", "--listen", "127.0.0.1:9999", "--log-format", "json", "--log-level", "debug")

    assert result.status == 0
    assert [settings.listen for settings in served] == ["127.0.0.1:9999"]
    assert configured == [{"json": True, "level": "debug", "color": True, "journal": ""}]
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    hooksd("serve")
    assert configured[1:] == [{"json": None, "level": "info", "color": False, "journal": "8:1"}]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, f"No space left on device; make room on its file system, {OR}"),
        (errno.EDQUOT, f"Disk quota exceeded; make room on its file system, {OR}"),
        (errno.EROFS, f"Read-only file system; make it writable, {OR}"),
        (errno.EACCES, f"Permission denied; let this user write there, {OR}"),
        (errno.EIO, "Input/output error"),
    ],
    ids=["full", "quota", "read-only", "not allowed", "broken"],
)
def test_a_log_that_cannot_be_had_is_said_with_where_and_what_to_do(
    hooksd: Command, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def serve(settings: Settings) -> None:
        cause = OSError(code, os.strerror(code))
        raise JournalError(f"{settings.log_dir}: the log cannot be opened: {cause.strerror}") from cause

    monkeypatch.setattr(wiring, "serve", serve)

    result = hooksd("serve", "--log-dir", "/mnt/small/log", "--log-format", "console")

    assert (result.status, result.err) == (74, f"error: /mnt/small/log: the log cannot be opened: {said}\n")


def test_where_a_log_is_that_has_too_little_room_is_said(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(_settings: Settings) -> None:
        raise JournalFull("less than 16 MiB are free for the log: make room on its file system")

    monkeypatch.setattr(wiring, "serve", serve)

    result = hooksd("serve", "--log-dir", "small")

    said = "error: small: less than 16 MiB are free for the log: make room on its file system\n"
    assert (result.status, result.err) == (74, said)


def test_a_log_that_cannot_be_made_is_said_by_the_daemon_itself(home: Path) -> None:
    (home / "hooks.d").mkdir()
    command = [sys.executable, "-m", "hooksd", "serve", "--listen", "127.0.0.1:0", "--log-dir", "/sys/log"]

    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 74
    assert "error: /sys/log: the log cannot be opened: " in done.stderr
    assert f"; let this user write there, {OR}\n" in done.stderr


def test_without_definitions_it_does_not_start(home: Path) -> None:
    command = [sys.executable, "-m", "hooksd", "serve", "--listen", "127.0.0.1:0"]

    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 78
    assert "there is no directory hooks.d" in done.stderr
    assert "Traceback" not in done.stderr
