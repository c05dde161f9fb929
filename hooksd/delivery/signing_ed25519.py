"""Ed25519, for signatures that a receiver checks with a public key (`v1a`). The extra `hooksd[crypto]` makes them.

The one module of deliveries that looks for `cryptography`: without the extra everything else works. Pure.
"""

from __future__ import annotations

import importlib
from typing import Any

SIZES = (32, 64)
"""Bytes of a private key: the seed, or the seed and the public key."""


def ed25519_signature(key: bytes, message: bytes) -> bytes:
    """Return the signature of a message (RFC 8032).

    Raises:
        ValueError: The key is none, or the extra is not installed.
    """
    if len(key) not in SIZES:
        raise ValueError("an Ed25519 private key is base64 of 32 bytes, or of 64 with its public key")
    return bytes(_ed25519().Ed25519PrivateKey.from_private_bytes(key[:32]).sign(message))


def _ed25519() -> Any:
    try:
        return importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    except ImportError as error:
        raise ValueError("Ed25519 signatures need the extra: pip install hooksd[crypto]") from error
