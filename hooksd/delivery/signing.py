"""Signatures: the headers by which a receiver knows that a request is from us, and from when. Pure.

Called by `delivery.request` for every attempt anew, with the exact bytes that are sent. What receivers do with them is
described in `docs/delivery.md`.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from typing import cast

from hooksd.delivery.signing_ed25519 import ed25519_signature
from hooksd.model.auth import HashName, SecretEncoding
from hooksd.signature import Mac, decode_key, digest, standard_webhooks

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"

SIGNATURE_HEADER = "webhook-signature"
STANDARD = "standard-webhooks"

_GITHUB_HEADER = "X-Hub-Signature-256"
_STRIPE_HEADER = "Stripe-Signature"
_KEY_PREFIX = "whsec_"
_PRIVATE_PREFIX = "whsk_"
_PRIVATE_START = _PRIVATE_PREFIX.encode()


def sign(scheme: str, secrets: Sequence[bytes], *, id: str, timestamp: int, body: bytes) -> Mapping[str, str]:  # noqa: A002 - the schemes' own word
    """Return the headers of a signature; none when there is no secret.

    Of several secrets each signs, where the scheme has room for several signatures (`standard-webhooks`, `stripe`);
    elsewhere the first one signs.

    Args:
        scheme: As `Endpoint.sign` has it.
        secrets: The secrets as stored, the newest first.
        id: The `webhook-id`.
        timestamp: Unix seconds.
        body: The exact bytes that are sent.

    Raises:
        ValueError: A secret does not fit the scheme. The message does not hold it.

    Source: Standard Webhooks specification 1.0; GitHub, "Validating webhook deliveries"; Stripe, "Verify manually".
    """
    if not secrets:
        return {}
    if scheme == STANDARD:
        signatures = [_standard(secret, id, timestamp, body) for secret in secrets]
        return {SIGNATURE_HEADER: " ".join(signatures)}
    secrets = [secret for secret in secrets if not is_private_key(secret)]
    if not secrets:
        raise ValueError(
            f"`{scheme}` needs a secret that both sides have: a private key signs `standard-webhooks` only"
        )
    match scheme:
        case "github":
            return {_GITHUB_HEADER: "sha256=" + digest("sha256", secrets[0], body).hex()}
        case "stripe":
            signed = f"{timestamp}.".encode() + body
            signatures = [f"v1={digest('sha256', secret, signed).hex()}" for secret in secrets]
            return {_STRIPE_HEADER: ",".join([f"t={timestamp}", *signatures])}
        case _:
            algorithm, _, header = scheme.removeprefix("hmac-").partition(":")
            return {header: digest(cast("HashName", algorithm), secrets[0], body).hex()}


def header_of(scheme: str) -> str:
    """Return the header in which `sign` puts the signature of a scheme."""
    match scheme:
        case "standard-webhooks":
            return SIGNATURE_HEADER
        case "github":
            return _GITHUB_HEADER
        case "stripe":
            return _STRIPE_HEADER
        case _:
            return scheme.partition(":")[2]


def is_private_key(secret: bytes) -> bool:
    """Tell whether a secret is an Ed25519 key, which signs in place of a secret that both sides have."""
    return secret.startswith(_PRIVATE_START)


def _standard(secret: bytes, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002 - the scheme's own word
    if not is_private_key(secret):
        return standard_webhooks(standard_mac(secret), id, timestamp, body)
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1a," + base64.b64encode(ed25519_signature(decode_key(secret, "base64", _PRIVATE_PREFIX), signed)).decode()


@functools.lru_cache(maxsize=1024)
def standard_mac(secret: bytes) -> Mac:
    """Return the keyed hash of a secret: `whsec_` and base64 as the specification has it, any other text as it is.

    Raises:
        ValueError: The secret is not base64. The message does not hold it.
    """
    encoding: SecretEncoding = "base64" if secret.startswith(_KEY_PREFIX.encode()) else "utf8"
    return Mac("sha256", decode_key(secret, encoding, _KEY_PREFIX))
