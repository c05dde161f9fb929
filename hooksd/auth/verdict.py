"""What a verifier says of a request: a closed set of words. The caller learns none of them, the log all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from hooksd.auth.request import Inbound
from hooksd.model.body import Document
from hooksd.model.trust import Trust

Reason = Literal[
    "missing_signature", "malformed_signature", "bad_signature", "missing_timestamp", "malformed_timestamp",
    "stale_timestamp", "missing_id", "missing_token", "bad_token", "bad_scheme", "malformed_credentials",
    "duplicate_header", "duplicate_parameter", "missing_component", "malformed_body",
    "unsigned_content", "malformed_token", "bad_algorithm", "unknown_key", "expired", "not_yet_valid", "bad_issuer",
    "bad_audience", "bad_claim", "body_mismatch", "bad_cert_url", "bad_topic", "keys_unavailable", "internal_error",
]  # fmt: skip
"""Why a request was refused."""

LATER: Reason = "keys_unavailable"
"""The one reason that is no verdict on the caller: the keys to judge with are on their way. It is answered 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentic:
    """The request is from whom it says."""

    key: int
    """The place of the secret that fitted, from 0: which one a sender still uses while rotating.

    Of an `any`, the place of the proof that held.
    """


_FIRST: Final = tuple(Authentic(key=place) for place in range(16))
"""Those with the first keys: each request needs one, and few webhooks have more than two."""


def authentic(key: int) -> Authentic:
    """Return that the secret at a place fitted."""
    return _FIRST[key] if key < len(_FIRST) else Authentic(key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request proves nothing."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The request is let in whatever it proves, because the webhook only observes."""

    found: Authentic | Refused
    """What would have been said."""


Verdict = Authentic | Refused | Observed


class Verifier(Protocol):
    """Judges requests of one webhook. It never raises, whatever the request holds."""

    @property
    def trust(self) -> Trust:
        """The trust that an authentic request earns."""
        ...

    @property
    def credential_headers(self) -> frozenset[str]:
        """Headers, in lower case, whose values must not be kept."""
        ...

    @property
    def credential_fields(self) -> frozenset[str]:
        """Query and form fields whose values must not be kept."""
        ...

    @property
    def credential_paths(self) -> frozenset[str]:
        """Paths into a JSON body, like `auth.token`, whose values must not be kept."""
        ...

    def verify(self, request: Inbound, now: float) -> Verdict:
        """Judge a request at a Unix time in seconds."""
        ...

    def event(self, request: Inbound, document: Document, /) -> str | None:
        """Return the provider's word for what happened, like `push`, of an authentic request and its body."""
        ...

    def id(self, request: Inbound, document: Document, /) -> str | None:
        """Return which delivery it is, as `event` does what happened."""
        ...
