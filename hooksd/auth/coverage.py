"""What a proof covers of a request: for the trust it earns, for the rules at load and for people. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hooksd.auth.layout import placeholders
from hooksd.model.auth import (
    AllAuth,
    AnyAuth,
    ConcreteAuth,
    JwtAuth,
    PaypalAuth,
    PresetAuth,
    SignedAuth,
    SnsAuth,
    TwilioAuth,
)

VARIABLES = frozenset({"body", "timestamp", "id"})
"""Placeholders of `signed` that are no sources."""

FORM = "application/x-www-form-urlencoded"
_IN_BODY = ("json:", "json?:", "form:")
_LONE = re.compile(r"\{form:([^{}]+)\}")
_PARTS = re.compile(r"\{(?:json\??|form):")


Body = Literal["none", "partial", "full"]
_RANKS: tuple[Body, ...] = ("none", "partial", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What nobody but the holder of the secret can have written; of several variants, what all of them cover."""

    body: Body
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
    """Return what a proof covers; what is a secret by itself covers nothing."""
    match auth:
        case SignedAuth():
            return _signed(auth)
        case JwtAuth():
            body: Body = "full" if auth.body_claim else "none"
            timed = auth.require_exp or auth.max_age is not None
            return Coverage(body=body, time=timed, id=False, url=False, window=auth.max_age)
        case TwilioAuth():
            # Names and values of fields are run together, so that what is which can be shifted.
            return Coverage(body="partial", time=False, id=False, url=True, window=None)
        case SnsAuth():
            return Coverage(body="partial", time=True, id=True, url=False, window=auth.tolerance)
        case PaypalAuth():
            # A checksum is no hash: other bodies have the same.
            return Coverage(body="partial", time=True, id=True, url=False, window=auth.tolerance)
        case AllAuth():
            return _together([coverage(part) for part in members(auth)])
        case AnyAuth():
            return _at_least([coverage(part) for part in members(auth)])
    return Coverage(body="none", time=False, id=False, url=False, window=None)


def members(auth: AllAuth | AnyAuth) -> tuple[ConcreteAuth, ...]:
    """Return the proofs of an `all` or `any` that `hooksd.auth.presets.expand` has expanded."""
    return tuple(part for part in auth.of if not isinstance(part, PresetAuth))


def leaves(auth: ConcreteAuth) -> tuple[ConcreteAuth, ...]:
    """Return the single proofs that an authentication is made of."""
    if isinstance(auth, AllAuth | AnyAuth):
        return tuple(leaf for part in members(auth) for leaf in leaves(part))
    return (auth,)


def _together(parts: list[Coverage]) -> Coverage:
    windows = [part.window for part in parts if part.window is not None]
    return Coverage(
        body=max((part.body for part in parts), key=_RANKS.index),
        time=any(part.time for part in parts),
        id=any(part.id for part in parts),
        url=any(part.url for part in parts),
        window=min(windows) if windows else None,
    )


def _at_least(parts: list[Coverage]) -> Coverage:
    windows = [part.window for part in parts]
    return Coverage(
        body=min((part.body for part in parts), key=_RANKS.index),
        time=all(part.time for part in parts),
        id=all(part.id for part in parts),
        url=all(part.url for part in parts),
        window=None if None in windows else max(window for window in windows if window is not None),
    )


def _signed(auth: SignedAuth) -> Coverage:
    variants = signed_variants(auth)
    signed = tuple(variants.values())
    time = all(covers_time(auth, text) for text in signed)
    return Coverage(
        body=_body(variants),
        time=time,
        id=all("{id}" in text or (bool(auth.id) and all(_covers(one, text) for one in auth.id)) for text in signed),
        url=all(covers_url(text) for text in signed),
        window=auth.tolerance if time else None,
    )


def _body(variants: dict[str, str]) -> Body:
    if all(covers_body(media, signed) for media, signed in variants.items()):
        return "full"
    return "partial" if all("{body}" in text or _PARTS.search(text) for text in variants.values()) else "none"


def signed_variants(auth: SignedAuth) -> dict[str, str]:
    """Return what is signed by media type, `*` for the rest."""
    return {"*": auth.signed} if isinstance(auth.signed, str) else dict(auth.signed)


def lone_form(media: str, signed: str) -> str | None:
    """Return the form field that is all that is signed of a form; None when it is another kind of signature."""
    lone = _LONE.fullmatch(signed) if media == FORM else None
    return lone[1] if lone else None


def covers_body(media: str, signed: str) -> bool:
    """Tell whether nothing of the body is left out. Of a form whose one field is signed, no other is let in."""
    return "{body}" in signed or lone_form(media, signed) is not None


def covers_time(auth: SignedAuth, signed: str) -> bool:
    """Tell whether the time is signed: by its name, by its place, or within the body."""
    named = "{timestamp}" in signed and (bool(auth.timestamp) or "timestamp" in placeholders(auth.format))
    return named or _covers(auth.timestamp, signed)


def covers_url(signed: str) -> bool:
    """Tell whether the URL is signed, be it as it stands or with some escapes read plainly."""
    return "{url}" in signed or "{plain_url}" in signed


def _covers(source: str | None, signed: str) -> bool:
    return bool(source) and ((str(source).startswith(_IN_BODY) and "{body}" in signed) or f"{{{source}}}" in signed)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:g}s" if rest or not minutes else f"{minutes:g}m"
