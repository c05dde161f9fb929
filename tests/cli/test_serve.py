"""The way from the command line into the daemon; the daemon itself is tested end to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hooksd.config.settings import Settings
from hooksd.daemon import wiring
from hooksd.telemetry import log
from tests.cli.conftest import Command


def test_it_serves_with_the_settings_of_the_command_line(hooksd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    configured: list[tuple[bool | None, str, bool]] = []
    monkeypatch.setattr(wiring, "serve", served.append)
    monkeypatch.setattr(log, "configure", lambda *, json, level, color: configured.append((json, level, color)))

    result = hooksd("serve", "--listen", "127.0.0.1:9999", "--log-format", "json", "--log-level", "debug")

    assert result.status == 0
    assert [settings.listen for settings in served] == ["127.0.0.1:9999"]
    assert configured == [(True, "debug", True)]
    monkeypatch.setenv("NO_COLOR", "1")
    hooksd("serve")
    assert configured[1:] == [(None, "info", False)]


def test_without_definitions_it_does_not_start(home: Path) -> None:
    command = [sys.executable, "-m", "hooksd", "serve", "--listen", "127.0.0.1:0"]

    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 78
    assert "there is no directory hooks.d" in done.stderr
    assert "Traceback" not in done.stderr
