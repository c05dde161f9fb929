"""Who we are to a receiver: certificates for TLS, and how a token is had. Values with secrets in them."""

from __future__ import annotations

from dataclasses import dataclass

from hooksd.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What TLS needs beyond the system's authorities. Two that are equal share connections."""

    ca: Secret | None = None
    """Certificates in PEM that are trusted instead of the system's."""
    certificate: Secret | None = None
    """Ours, in PEM, with those that lead to its authority."""
    key: Secret | None = None
    """Its private key, in PEM; None: it stands beside the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How an access token is had: OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str = ""
    audience: str = ""
