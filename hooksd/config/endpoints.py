"""What endpoints are made of besides templates: credentials, certificates, and whether their host is written. Pure.

Called by `config.build`, and by `config.checks` for every reference to a secret that an endpoint has.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

from hooksd.expr.template import Template
from hooksd.model.endpoint import Endpoint
from hooksd.model.header import CREDENTIAL_HEADERS
from hooksd.model.identity import Grant, Identity
from hooksd.model.secret import Secret
from hooksd.signature import decode_key

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")

MIN_CREDENTIAL = 8
"""Characters; a shorter credential would be found in everything."""

REFERENCES: Mapping[tuple[str, ...], str] = {
    ("secret",): "a signing secret",
    ("bearer",): "a token",
    ("basic_auth", "password"): "a password",
    ("oauth2", "client_secret"): "a secret",
    ("tls", "ca"): "certificates",
    ("tls", "certificate"): "a certificate",
    ("tls", "key"): "a private key",
}
"""Where an endpoint refers to secrets."""


def is_literal_host(template: str) -> bool:
    """Tell whether the host of a URL is written in a definition, so that no template can change where it leads.

    Args:
        template: The URL as it is written.
    """
    _, mark, rest = template.partition("://")
    if not mark or _TEMPLATE.search(template[: -len(rest) or None]):
        return False
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return bool(authority) and _TEMPLATE.search(authority) is None


def credentials_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the texts of credentials that stand in headers themselves, without their scheme.

    Args:
        headers: Of an endpoint, rendered.
    """
    texts = (
        (value.partition(" ")[2] if name.lower().endswith("authorization") else "") or value
        for name, value in headers.items()
        if name.lower() in CREDENTIAL_HEADERS
    )
    return tuple(text for text in texts if len(text) >= MIN_CREDENTIAL)


def reads_event(template: Template) -> bool:
    """Tell whether a header reads the event, so that it is another one for every delivery."""
    return any(name.partition(".")[0] != "secrets" for name in template.names)


def signing_problem(secret: Secret) -> str | None:
    """Return why a secret cannot sign, if it says that it is base64 and is not; never with its value."""
    raw = secret.reveal()
    for prefix in ("whsec_", "whsk_"):
        if raw.startswith(prefix.encode()):
            try:
                key = decode_key(raw, "base64", prefix)
            except ValueError:
                return f"what stands behind `{prefix}` is not base64"
            if prefix == "whsk_" and len(key) not in (32, 64):
                return "an Ed25519 private key has 32 bytes, or 64 with its public key"
    return None


def authorization_of(endpoint: Endpoint, get: Callable[[str], Secret]) -> tuple[str | None, tuple[str, ...]]:
    """Return the header that `basic_auth` or `bearer` stands for, and the texts in it that must not be logged.

    Args:
        endpoint: The definition.
        get: Returns the secret that a reference names.

    Raises:
        UnicodeDecodeError: The secret is no text.
    """
    if endpoint.basic_auth is not None:
        password = get(endpoint.basic_auth.password).text()
        pair = base64.b64encode(f"{endpoint.basic_auth.username}:{password}".encode()).decode()
        return f"Basic {pair}", (password, pair)
    if endpoint.bearer is not None:
        token = get(endpoint.bearer).text()
        return f"Bearer {token}", (token,)
    return None, ()


def grant_of(endpoint: Endpoint, get: Callable[[str], Secret]) -> Grant | None:
    """Return how an endpoint's token is had, if it needs one."""
    oauth2 = endpoint.oauth2
    if oauth2 is None:
        return None
    return Grant(
        token_url=oauth2.token_url,
        client_id=oauth2.client_id,
        client_secret=get(oauth2.client_secret),
        scope=oauth2.scope,
        audience=oauth2.audience,
    )


def identity_of(endpoint: Endpoint, get: Callable[[str], Secret]) -> Identity | None:
    """Return what TLS needs for an endpoint beyond what it needs for all."""
    tls = endpoint.tls
    if tls is None:
        return None
    ca, certificate, key = (
        None if reference is None else get(reference) for reference in (tls.ca, tls.certificate, tls.key)
    )
    return Identity(ca=ca, certificate=certificate, key=key)
