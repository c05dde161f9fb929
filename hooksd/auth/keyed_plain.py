"""The keyed hash that most providers send: of the body alone, in one header, after a constant prefix.

It proves what `auth.keyed` proves, in one function instead of nine. `auth.build` asks for it first, and for the general
form where the definition is not of this kind; `tests/auth/test_keyed_plain.py` holds it to the verdicts of that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from hooksd.auth.coverage import signed_variants
from hooksd.auth.refusal import Refusal
from hooksd.auth.request import Inbound
from hooksd.auth.sources import Examined
from hooksd.auth.verdict import Authentic, authentic
from hooksd.model.auth import Encoding, HmacAuth
from hooksd.signature import Mac, decode_canonical, equal

_SIGNATURE = "{signature}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainKeyed:
    """Proves requests by the keyed hash of their bodies. `plainly_keyed` makes it."""

    keys: tuple[tuple[Authentic, Mac], ...]
    """Each with what is said when it fits, the last first."""
    header: str
    """In lower case."""
    prefix: str
    encoding: Encoding

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the key that fits.

        Raises:
            Refusal: None fits.
        """
        return self.judge(seen.request, now).key

    def judge(self, request: Inbound, now: float) -> Authentic:  # noqa: ARG002 - see Judge: no time is signed
        """Return which key fits; of several, the first.

        Raises:
            Refusal: None fits.
        """
        named, prefix = request.unrepeated, self.prefix
        value = Examined(request).header(self.header) if named is None else named.get(self.header)
        if not value:
            raise Refusal("missing_signature")
        text = value.strip(" \t")
        if not text.startswith(prefix) or text == prefix:
            raise Refusal("malformed_signature")
        given = decode_canonical(text[len(prefix) :], self.encoding) or b""  # empty: equal to no digest
        fitting = None
        for found, mac in self.keys:  # every key, without leaving early
            if equal(given, mac.digest(request.body)):
                fitting = found
        if fitting is None:
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
    macs = [(authentic(place), Mac(auth.algorithm, key)) for place, key in enumerate(keys)]
    return PlainKeyed(keys=tuple(reversed(macs)), header=name.lower(), prefix=prefix, encoding=auth.encoding[0])
