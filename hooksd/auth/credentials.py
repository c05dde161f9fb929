"""Proofs by what caller and receiver both know: tokens, bearer tokens (RFC 6750), names with passwords (RFC 7617)."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import Examined, Find
from hooksd.signature import equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """Asks nobody for anything."""

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - the shape of a proof
        """Return 0: everybody is let in."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Knows tokens."""

    secrets: tuple[bytes, ...]
    token: Find

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - the shape of a proof
        """Return the place of the token that fits.

        Raises:
            Refusal: None fits.
        """
        given = self.token(seen)
        if given is None:
            raise Refusal("missing_token")
        return fitting(given, self.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Knows bearer tokens."""

    secrets: tuple[bytes, ...]

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - the shape of a proof
        """Return the place of the token that fits.

        Raises:
            Refusal: None fits.
        """
        return fitting(_credentials(seen, "bearer").encode("latin-1"), self.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """Knows one name and its password."""

    username: bytes
    password: bytes

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - the shape of a proof
        """Return 0.

        Raises:
            Refusal: The name or the password is another.
        """
        try:
            pair = binascii.a2b_base64(_credentials(seen, "basic").encode("ascii"), strict_mode=True)
        except ValueError:
            raise Refusal("malformed_credentials") from None
        name, colon, password = pair.partition(b":")
        if not colon:
            raise Refusal("malformed_credentials")
        fits = [equal(name, self.username), equal(password, self.password)]
        if not all(fits):
            raise Refusal("bad_token")
        return 0


def fitting(given: bytes, secrets: tuple[bytes, ...]) -> int:
    """Return the place of the secret that was given, having looked at all of them.

    Raises:
        Refusal: It is none of them.
    """
    fits = [place for place, secret in enumerate(secrets) if equal(given, secret)]
    if not fits:
        raise Refusal("bad_token")
    return fits[0]


def _credentials(seen: Examined, wanted: str) -> str:
    header = seen.header("authorization")
    if header is None:
        raise Refusal("missing_token")
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != wanted:
        raise Refusal("bad_scheme")
    return credentials.strip(" ")
