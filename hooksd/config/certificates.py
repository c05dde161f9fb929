"""Certificates and keys in PEM, as TLS takes them: loaded into a context, or judged beforehand.

`config.checks` judges those of endpoints when they are loaded, `delivery.transport_tls` makes contexts of them: what
the one lets pass the other can use.
"""

from __future__ import annotations

import os
import ssl
from typing import Literal, NamedTuple

from hooksd.model.identity import Identity
from hooksd.model.secret import Secret

Key = Literal["ca", "certificate", "key"]
"""The keys of `tls`."""

_UNUSABLE = (ssl.SSLError, OSError, TypeError, ValueError)
"""What the library raises at bytes that it cannot use."""


class PemProblem(NamedTuple):
    """Why a certificate or a key cannot be used. It does not hold any of it."""

    key: Key
    text: str


def trust(context: ssl.SSLContext, authority: Secret) -> None:
    """Let a context trust certificates, in PEM.

    Raises:
        ssl.SSLError: They are none.
        ValueError: They are not text.
        TypeError: They are not ASCII.
    """
    context.load_verify_locations(cadata=authority.text())


def present(context: ssl.SSLContext, certificate: Secret, key: Secret | None) -> None:
    """Let a context show a certificate. OpenSSL reads it from a file alone: one in memory, which no other process sees.

    Raises:
        ssl.SSLError: There is no certificate, no key, or they do not belong together.
        OSError: The key has a password.
    """
    text = b"\n".join(secret.reveal() for secret in (certificate, key) if secret is not None)
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, text)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_password)
    finally:
        os.close(descriptor)


def pem_problem(identity: Identity) -> PemProblem | None:
    """Return what of an identity TLS cannot use; None when it can use everything."""
    if identity.ca is not None and not _are_certificates(identity.ca):
        return PemProblem("ca", "there is no certificate in PEM in it")
    if identity.certificate is None:
        return None
    if not _are_certificates(identity.certificate):
        return PemProblem("certificate", "there is no certificate in PEM in it")
    where: Key = "certificate" if identity.key is None else "key"
    try:
        present(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), identity.certificate, identity.key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return PemProblem(where, "the private key is not that of the certificate")
        return PemProblem(where, "there is no private key in PEM in it")
    except OSError:
        return PemProblem(where, "the private key has a password, and nobody is there to enter it")
    return None


def _are_certificates(pem: Secret) -> bool:
    try:
        trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)
    except _UNUSABLE:
        return False
    return True


def _no_password() -> str:
    """Answer for a key with a password. Without this OpenSSL would ask on the terminal."""
    raise OSError("the key has a password")
