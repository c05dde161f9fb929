"""The table of docs/providers.md is what the presets say; its example is every provider's."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hooksd.auth.coverage import coverage
from hooksd.auth.presets import describe, preset_names
from hooksd.model.auth import HmacAuth
from hooksd.model.webhook import Webhook
from tests.auth.signing import concrete

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z0-9-]+)` (\|.*\|)$", PAGE, re.MULTILINE))

NOTHING = "\u2013"


def row(name: str) -> str:
    """Return what the page must say of a preset, behind its name."""
    known, about = concrete(name), describe(name)
    event = " ".join(f"`{source}`" for source in about.event) or NOTHING
    covered = str(coverage(known)) if isinstance(known, HmacAuth) else NOTHING
    return (
        f"| {about.title} | {known.type} `{about.proof}` | {covered} | {event} | {about.secret_at} | {about.source} |"
    )


def test_the_table_has_every_preset_in_order() -> None:
    assert list(ROWS) == list(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_what_the_table_says_of_a_provider_is_what_its_preset_does(name: str) -> None:
    assert ROWS[name] == row(name)


@pytest.mark.parametrize("name", preset_names())
def test_the_example_is_right_for_every_provider(name: str) -> None:
    by_password, by_secret = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    example = by_password if concrete(name).type == "basic" else by_secret
    written = example.replace("PRESET", name)

    assert Webhook.model_validate(tomllib.loads(written)["webhooks"]["in"]).auth.preset == name  # type: ignore[union-attr]
