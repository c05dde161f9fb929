"""Secrets that steps may put into payloads."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from hooksd.cli.invocation import Invocation
from hooksd.cli.secrecy import hidden_texts, spellings


def test_a_secret_is_found_however_a_payload_spells_it() -> None:
    assert set(spellings(['a"b c/d\u00e9'])) == {
        'a"b c/d\u00e9', 'a\\"b c/d\u00e9', "a%22b%20c%2Fd%C3%A9", "a%22b+c%2Fd%C3%A9",
    }  # fmt: skip


def test_the_longest_comes_first_and_short_ones_are_left_out() -> None:
    assert spellings(["01234567", "0123456789", "short"]) == ("0123456789", "01234567")


def test_where_there_are_no_definitions_that_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hidden_texts(click.Context(click.Command("show"), obj=Invocation())) == ()
    assert "cannot be read here" in capsys.readouterr().err


def test_definitions_without_secrets_hide_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "hooks.d").mkdir()

    assert hidden_texts(click.Context(click.Command("show"), obj=Invocation())) == ()
    assert capsys.readouterr().err == ""
