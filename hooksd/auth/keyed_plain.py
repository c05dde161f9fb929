"""The keyed hash that most providers send: of the body alone, in one header, after a constant prefix.

It proves what `auth.keyed` proves, in one function instead of nine. `auth.build` asks for it first, and for the general
form where the definition is not of this kind; `tests/auth/test_keyed_plain.py` holds it to the verdicts of that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from hooksd.auth.coverage import signed_variants
from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import Examined
from hooksd.model.auth import Encoding, HmacAuth
from hooksd.signature import Mac, decode_canonical, equal

_SIGNATURE = "{signature}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainKeyed:
    """Proves requests by the keyed hash of their bodies. `plainly_keyed` makes it."""

    keys: tuple[tuple[int, Mac], ...]
    """Each with its place, the last first."""
    header: str
    """In lower case."""
    prefix: str
    encoding: Encoding

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - see Proof: no time is signed
        """Return the place of the key that fits; of several, the first.

        Raises:
            Refusal: None fits.
        """
        request, prefix = seen.request, self.prefix
        named = request.unrepeated
        value = seen.header(self.header) if named is None else named.get(self.header)
        if not value:
            raise Refusal("missing_signature")
        text = value.strip(" \t")
        if not text.startswith(prefix) or text == prefix:
            raise Refusal("malformed_signature")
        given = decode_canonical(text[len(prefix) :], self.encoding) or b""  # empty: equal to no digest
        fitting = -1
        for place, mac in self.keys:  # every key, without leaving early
            if equal(given, mac.digest(request.body)):
                fitting = place
        if fitting < 0:
            raise Refusal("bad_signature")
        return fitting


def plainly_keyed(auth: HmacAuth, keys: tuple[bytes, ...]) -> PlainKeyed | None:
    """Build the proof of a definition of this kind; None: it is of another.

    Args:
        auth: The definition; `hooksd.auth.lint` found nothing in it.
        keys: The decoded secrets, in order.
    """
    kind, _, name = (auth.signature or f"header:{auth.header}").partition(":")
    prefix, _, suffix = auth.format.partition(_SIGNATURE)
    is_plain = (
        kind == "header"
        and _SIGNATURE in auth.format
        and not (suffix or "{" in prefix or auth.separator or auth.timestamp or auth.forbid)
        and dict(signed_variants(auth)) == {"*": "{body}"}
        and len(auth.encoding) == 1
    )
    if not is_plain:
        return None
    macs = [(place, Mac(auth.algorithm, key)) for place, key in enumerate(keys)]
    return PlainKeyed(keys=tuple(reversed(macs)), header=name.lower(), prefix=prefix, encoding=auth.encoding[0])
