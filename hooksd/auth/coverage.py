"""What a proof covers of a request: for the trust it earns, for the rules at load and for people. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hooksd.auth.layout import placeholders
from hooksd.model.auth import ConcreteAuth, HmacAuth

VARIABLES = frozenset({"body", "timestamp", "id"})
"""Placeholders of `signed` that are no sources."""

FORM = "application/x-www-form-urlencoded"
_IN_BODY = ("json:", "json?:", "form:")
_LONE = re.compile(r"\{form:([^{}]+)\}")
_PARTS = re.compile(r"\{(?:json\??|form):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What nobody but the holder of the secret can have written; of several variants, what all of them cover."""

    body: Literal["full", "partial", "none"]
    time: bool
    """A time is signed."""
    id: bool
    """The delivery id is signed."""
    url: bool
    """The URL is signed."""
    window: float | None
    """Seconds for which a request that was seen passes again; None: for ever."""

    def __str__(self) -> str:
        """Return it for people, like `body, time within 5m`."""
        body = {"full": ["body"], "partial": ["parts of the body"], "none": []}[self.body]
        time = ["time" if self.window is None else f"time within {_duration(self.window)}"] if self.time else []
        rest = [name for name in ("id", "url") if getattr(self, name)]
        return ", ".join([*body, *time, *rest]) or "nothing"


def coverage(auth: ConcreteAuth) -> Coverage:
    """Return what a proof covers; all but signatures cover nothing."""
    if not isinstance(auth, HmacAuth):
        return Coverage(body="none", time=False, id=False, url=False, window=None)
    variants = signed_variants(auth)
    signed = tuple(variants.values())
    time = all(covers_time(auth, text) for text in signed)
    return Coverage(
        body=_body(variants),
        time=time,
        id=all("{id}" in text or _covers(auth.id, text) for text in signed),
        url=all("{url}" in text for text in signed),
        window=auth.tolerance if time else None,
    )


def _body(variants: dict[str, str]) -> Literal["full", "partial", "none"]:
    if all(covers_body(media, signed) for media, signed in variants.items()):
        return "full"
    return "partial" if all("{body}" in text or _PARTS.search(text) for text in variants.values()) else "none"


def signed_variants(auth: HmacAuth) -> dict[str, str]:
    """Return what is signed by media type, `*` for the rest."""
    return {"*": auth.signed} if isinstance(auth.signed, str) else dict(auth.signed)


def lone_form(media: str, signed: str) -> str | None:
    """Return the form field that is all that is signed of a form; None when it is another kind of signature."""
    lone = _LONE.fullmatch(signed) if media == FORM else None
    return lone[1] if lone else None


def covers_body(media: str, signed: str) -> bool:
    """Tell whether nothing of the body is left out. Of a form whose one field is signed, no other is let in."""
    return "{body}" in signed or lone_form(media, signed) is not None


def covers_time(auth: HmacAuth, signed: str) -> bool:
    """Tell whether the time is signed: by its name, by its place, or within the body."""
    named = "{timestamp}" in signed and (bool(auth.timestamp) or "timestamp" in placeholders(auth.format))
    return named or _covers(auth.timestamp, signed)


def _covers(source: str | None, signed: str) -> bool:
    return bool(source) and ((str(source).startswith(_IN_BODY) and "{body}" in signed) or f"{{{source}}}" in signed)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:g}s" if rest or not minutes else f"{minutes:g}m"
