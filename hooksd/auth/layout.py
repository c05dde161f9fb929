"""How a provider lays out its signature header: `sha256={signature}`, `t={timestamp},v1={signature}`, ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from hooksd.auth.refusal import Refusal

MAX_CANDIDATES = 16
"""The most signatures of one request that are looked at."""

_PAIR = re.compile(r"([A-Za-z0-9_-]+)=\{(\w+)\}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Laid(NamedTuple):
    """What a signature header holds."""

    signatures: tuple[str, ...]
    """Candidates, at most `MAX_CANDIDATES`; unknown elements are ignored, so that a provider can add a scheme."""
    timestamp: str | None = None
    id: str | None = None


Read = Callable[[str], Laid]
"""Reads a header. Raises Refusal."""


def placeholders(layout: str) -> tuple[str, ...]:
    """Return the names in braces, in order."""
    return tuple(_PLACEHOLDER.findall(layout))


def reader(layout: str, separator: str | None) -> Read:
    """Return the function that reads a signature header.

    Args:
        layout: The documented header with placeholders.
        separator: What stands between several signatures; None: only one stands there, or the layout shows it.
    """
    keys = dict(_PAIR.findall(layout))
    if len(keys) > 1:
        shown = re.search(r"\}\s*([^\s\w{}])", layout)
        return _pairs_reader(keys, separator or (shown[1] if shown else ","))
    prefix, _, suffix = layout.partition("{signature}")
    begin, rest = len(prefix), len(suffix)

    def read(value: str) -> Laid:
        found: list[str] = []
        for item in value.split(separator) if separator else (value,):
            text = item.strip(" \t")
            if len(text) > begin + rest and text.startswith(prefix) and text.endswith(suffix):
                found.append(text[begin : len(text) - rest])
        return Laid(tuple(found[:MAX_CANDIDATES]))

    return read


def _pairs_reader(keys: dict[str, str], separator: str) -> Read:
    def read(value: str) -> Laid:
        signatures: list[str] = []
        fields: dict[str, str] = {}
        for item in value.split(separator):
            key, _, content = item.strip(" \t").partition("=")
            name = keys.get(key)
            if name == "signature" and content:
                signatures.append(content)
            elif name is not None and name != "signature":
                if name in fields:
                    # Which of two times was signed? Nobody knows.
                    raise Refusal("malformed_signature")
                fields[name] = content
        return Laid(
            signatures=tuple(signatures[:MAX_CANDIDATES]), timestamp=fields.get("timestamp"), id=fields.get("id")
        )

    return read
