"""Signatures that a public key checks. Stands on `cryptography`; imported by `hooksd.auth.extra` when asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from hooksd.model.auth import KeyEncoding, SignatureName

MIN_RSA = 2048
"""The fewest bits of an RSA key (NIST SP 800-131A)."""
_HALF = 32
"""Bytes of each of the two numbers of an ECDSA signature over P-256."""

Check = Callable[[bytes, bytes], bool]
"""Tells whether a signature is one over a message. It never raises."""


def load_check(text: str, encoding: KeyEncoding, algorithm: SignatureName) -> Check:
    """Return what checks signatures with a public key.

    Args:
        text: The key, or a certificate that holds it.
        encoding: How it is written. PEM is known by its first line, whatever is said.
        algorithm: The kind of signature, which the key must fit.

    Raises:
        ValueError: The text is no such key. The message does not hold it.
    """
    try:
        key = _loaded(text.strip(), encoding)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"this is no public key in {encoding}") from None
    return _check_of(key, algorithm)


def _loaded(text: str, encoding: KeyEncoding) -> object:
    if text.startswith("-----BEGIN CERTIFICATE"):
        return x509.load_pem_x509_certificate(text.encode()).public_key()
    if text.startswith("-----BEGIN") or encoding == "pem":
        return serialization.load_pem_public_key(text.encode())
    if encoding == "spki-base64":
        return serialization.load_der_public_key(binascii.a2b_base64(text.encode("ascii"), strict_mode=True))
    raw = bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text.encode("ascii"), validate=True)
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


def _check_of(key: object, algorithm: SignatureName) -> Check:
    match algorithm:
        case "ed25519" if isinstance(key, ed25519.Ed25519PublicKey):
            return _quiet(key.verify)
        case "ecdsa-p256-sha256" | "ecdsa-p256-sha256-raw" if _is_p256(key):
            return _ecdsa(key, raw=algorithm.endswith("raw"))
        case "rsa-sha256" | "rsa-sha1" | "rsa-pss-sha256" if isinstance(key, rsa.RSAPublicKey):
            return _rsa(key, algorithm)
    raise ValueError(f"the public key is of another kind than {algorithm} needs")


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _ecdsa(key: object, *, raw: bool) -> Check:
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - `_is_p256` has looked
    public, scheme = key, ec.ECDSA(hashes.SHA256())
    check = _quiet(lambda signature, message: public.verify(signature, message, scheme))

    def both(signature: bytes, message: bytes) -> bool:
        if len(signature) != 2 * _HALF:
            return False
        numbers = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        return check(encode_dss_signature(*numbers), message)

    return both if raw else check


def _rsa(key: rsa.RSAPublicKey, algorithm: SignatureName) -> Check:
    if key.key_size < MIN_RSA:
        raise ValueError(f"the public key has {key.key_size} bits: it must have at least {MIN_RSA}")
    if algorithm == "rsa-pss-sha256":
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        return _quiet(lambda signature, message: key.verify(signature, message, pss, hashes.SHA256()))
    plain = padding.PKCS1v15()
    digest = hashes.SHA1() if algorithm == "rsa-sha1" else hashes.SHA256()  # noqa: S303 - only where it is asked for
    return _quiet(lambda signature, message: key.verify(signature, message, plain, digest))


def _quiet(verify: Callable[[bytes, bytes], None]) -> Check:
    def check(signature: bytes, message: bytes) -> bool:
        try:
            verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check
