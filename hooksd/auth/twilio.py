"""Twilio's signature: over the URL and every form field in order, or over the URL that holds the hash of the body.

Source: Twilio documentation, Webhooks security; twilio-python, `twilio/request_validator.py` and its tests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from hooksd.auth.coverage import FORM
from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import Examined
from hooksd.signature import decode_canonical, digest, equal

HEADER = "x-twilio-signature"
BODY_HASH = "bodySHA256"
"""The query parameter with the hash of a body that is no form."""
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """Proves requests of Twilio."""

    keys: tuple[bytes, ...]

    def prove(self, seen: Examined, now: float) -> int:  # noqa: ARG002 - the shape of a proof
        """Return the place of the auth token that fits.

        Raises:
            Refusal: None fits, or the body is not covered.
        """
        given = seen.header(HEADER)
        if given is None:
            raise Refusal("missing_signature")
        if seen.request.url is None:
            raise Refusal("missing_component")
        signature = decode_canonical(given, "base64")
        messages = [(url + self._fields(seen)).encode() for url in spellings(seen.request.url)]
        fits = [
            place
            for place, key in enumerate(self.keys)
            for message in messages
            if equal(signature or b"", digest("sha1", key, message))
        ]
        if not fits:
            raise Refusal("bad_signature")
        return fits[0]

    def _fields(self, seen: Examined) -> str:
        request = seen.request
        if request.media == FORM:
            pairs = sorted(set(seen.form_pairs()))
            return "".join(name + value for name, value in pairs)
        if request.body:
            told = seen.query(BODY_HASH)
            if told is None or not equal(hashlib.sha256(request.body).hexdigest().encode(), told.lower().encode()):
                raise Refusal("body_mismatch")
        return ""


def spellings(url: str) -> tuple[str, ...]:
    """Return a URL without and with its port: Twilio signs either, depending on the product."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return tuple(url.replace(parts.netloc, netloc, 1) for netloc in (host, f"{host}:{port}"))
