"""Verification of keyed hashes (HMAC, RFC 2104) over raw bytes, with a time and an id where the provider signs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hooksd.auth import times
from hooksd.auth.coverage import VARIABLES, lone_form, signed_variants
from hooksd.auth.layout import Read, placeholders, reader
from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import Examined, Find, finder, holds, lone_field
from hooksd.model.auth import Encoding, HmacAuth, SignatureAuth
from hooksd.signature import Mac, decode_canonical, equal

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

Piece = bytes | str | Find
"""A part of what is signed: constant bytes, the name of a variable, or a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """Proves requests by their keyed hash. `keyed` makes it."""

    macs: tuple[Mac, ...]
    signature: Find
    read: Read
    timestamp: Find | None
    """Where the time is, outside the signature header."""
    needs_timestamp: bool
    id: Find | None
    needs_id: bool
    signed: Mapping[str, tuple[Piece, ...]]
    """What is signed, by media type; `*` for the rest."""
    forbidden: tuple[Callable[[Examined], bool], ...]
    """What the signature leaves out and a request must not hold."""
    encodings: tuple[Encoding, ...]
    parse_time: Callable[[str], float]
    tolerance: float | None
    checks: tuple[Callable[[bytes, bytes], bool], ...] = ()
    """For public keys, in place of `macs`: each tells whether a signature is one over a message."""

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the key that fits.

        Raises:
            Refusal: None fits, or the signed time is too far away.
        """
        header = self.signature(seen)
        if not header:
            raise Refusal("missing_signature")
        laid = self.read(header.decode("latin-1"))
        if not laid.signatures:
            raise Refusal("malformed_signature")
        variables = {"body": seen.request.body}
        moment = laid.timestamp or self._timestamp(seen)
        if moment:
            variables["timestamp"] = moment.encode("latin-1")
        elif self.needs_timestamp:
            raise Refusal("missing_timestamp")
        if self.needs_id:
            variables["id"] = self._id(seen, laid.id)
        key = self._fitting(laid.signatures, self._message(seen, variables))
        if self.forbidden and any(held(seen) for held in self.forbidden):
            raise Refusal("unsigned_content")
        if moment:
            # Only now is the time more than a claim.
            self._check_time(moment, now)
        return key

    def _timestamp(self, seen: Examined) -> str | None:
        found = self.timestamp(seen) if self.timestamp is not None else None
        return found.decode("latin-1") if found else None

    def _id(self, seen: Examined, laid: str | None) -> bytes:
        found = laid.encode("latin-1") if laid else self.id(seen) if self.id is not None else None
        if not found:
            raise Refusal("missing_id")
        return found

    def _message(self, seen: Examined, variables: Mapping[str, bytes]) -> bytes:
        pieces = self.signed.get(seen.request.media) or self.signed["*"]
        if pieces == ("body",):
            return variables["body"]
        return b"".join([_filled(piece, seen, variables) for piece in pieces])

    def _fitting(self, signatures: tuple[str, ...], message: bytes) -> int:
        """Try every key with every candidate, without leaving early."""
        given = [raw for text in signatures for form in self.encodings if (raw := decode_canonical(text, form))]
        if self.checks:
            fits = [place for place, check in enumerate(self.checks) for raw in given if check(raw, message)]
        else:
            fits = []
            for place, mac in enumerate(self.macs):
                digest = mac.digest(message)
                fits += [place for raw in given if equal(raw, digest)]
        if not fits:
            raise Refusal("bad_signature")
        return fits[0]

    def _check_time(self, moment: str, now: float) -> None:
        distance = abs(now - self.parse_time(moment))
        if self.tolerance is not None and not distance <= self.tolerance:
            raise Refusal("stale_timestamp")


def _filled(piece: Piece, seen: Examined, variables: Mapping[str, bytes]) -> bytes:
    if isinstance(piece, bytes):
        return piece
    found = variables.get(piece) if isinstance(piece, str) else piece(seen)
    if found is None:
        # Never an empty string: what is missing was not signed.
        raise Refusal("missing_component")
    return found


def pieces_of(signed: str) -> tuple[Piece, ...]:
    """Split what is signed into its parts.

    Raises:
        ValueError: A placeholder is neither a variable nor a source.
    """
    pieces: list[Piece] = []
    for place, part in enumerate(_PLACEHOLDER.split(signed)):
        if place % 2 == 0:
            pieces += [part.encode()] if part else []
        else:
            pieces.append(part if part in VARIABLES else finder(part))
    return tuple(pieces)


def _pieces_of(media: str, signed: str) -> tuple[Piece, ...]:
    lone = lone_form(media, signed)
    return (lone_field(lone),) if lone else pieces_of(signed)


def keyed(
    auth: HmacAuth | SignatureAuth, keys: tuple[bytes, ...], checks: tuple[Callable[[bytes, bytes], bool], ...] = ()
) -> Keyed:
    """Build the proof of an `hmac` or a `signature`.

    Args:
        auth: The definition; `hooksd.auth.lint` found nothing in it.
        keys: The decoded secrets of an `hmac`, in order.
        checks: The checks of a `signature` with each of its public keys, in order.
    """
    variants = signed_variants(auth)
    named = placeholders(auth.format)
    form = auth.timestamp_format
    return Keyed(
        macs=tuple(Mac(auth.algorithm, key) for key in keys) if isinstance(auth, HmacAuth) else (),
        checks=checks,
        signature=finder(auth.signature or f"header:{auth.header}"),
        read=reader(auth.format, auth.separator),
        timestamp=finder(auth.timestamp) if auth.timestamp else None,
        needs_timestamp=bool(auth.timestamp) or "timestamp" in named,
        id=finder(auth.id[0]) if auth.id else None,
        needs_id=any("{id}" in signed for signed in variants.values()),
        signed={media: _pieces_of(media, signed) for media, signed in variants.items()},
        forbidden=tuple(holds(source) for source in auth.forbid),
        encodings=auth.encoding,
        parse_time=lambda text: times.parse(text, form),
        tolerance=auth.tolerance,
    )
