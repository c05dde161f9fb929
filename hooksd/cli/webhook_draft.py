"""A definition in the hands of a person: what an editor is opened with, and where a text is kept that was refused."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import click

from hooksd.config.writing import fresh
from hooksd.errors import UsageError
from hooksd.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text to be edited."""

    name: str
    """Of the webhook."""
    text: str
    is_new: bool = False
    """It is wanted even if nothing is changed in the editor."""

    @classmethod
    def of(cls, name: str | None, document: Mapping[str, Json]) -> Self:
        """Begin a webhook that is not there yet.

        Raises:
            UsageError: It has no name that could stand in a file.
        """
        if name is None:
            raise UsageError("--edit needs a name: it stands in the file")
        return cls(name=name, text=fresh(name, {"auth": {"type": "none"}, **document}), is_new=True)


def edited(draft: Draft) -> str | None:
    """Return what a person made of a text in $EDITOR; None when it was left as it was, or emptied.

    Raises:
        click.ClickException: The editor cannot be started, or failed.
    """
    text = click.edit(draft.text, extension=".toml", require_save=False)
    if text is None or not text.strip() or (text == draft.text and not draft.is_new):
        return None
    return text


def kept(name: str, text: str) -> str:
    """Write a text where its author finds it again, and return the path. Only its author can read it."""
    with tempfile.NamedTemporaryFile("w", prefix=f"{name}-", suffix=".toml", encoding="utf-8", delete=False) as file:
        file.write(text)
    return file.name
