"""TLS: what certificates are checked against, and who we say we are. One context for all who need no other.

Making a context takes 15 ms, so it is made once and shared; those of endpoints with an authority or a certificate of
their own are kept too. Called by `delivery.transport`.
"""

from __future__ import annotations

import ssl

import httpx

from hooksd.config.certificates import present
from hooksd.model.identity import Identity

MOST = 256
"""Contexts that are kept for endpoints with something of their own."""


class BadCertificate(Exception):
    """A certificate or a key cannot be used. The message does not hold it."""


def trusted() -> ssl.SSLContext:
    """Return what certificates are checked against: the system's authorities, or those that come with httpx."""
    paths = ssl.get_default_verify_paths()
    has_own = paths.cafile is not None or paths.capath is not None
    return _strict(ssl.create_default_context() if has_own else httpx.create_ssl_context(trust_env=False))


def context_of(identity: Identity, default: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return a context for somebody with something of their own.

    Args:
        identity: What.
        default: Where nothing is said of an authority, a copy of what this trusts. Default: as `trusted`.

    Raises:
        BadCertificate: A certificate or a key cannot be used.
    """
    try:
        if identity.ca is None:
            context = trusted() if default is None else _copy(default)
        else:
            context = _strict(ssl.create_default_context(cadata=identity.ca.text()))
        if identity.certificate is not None:
            present(context, identity.certificate, identity.key)
    except (ssl.SSLError, UnicodeDecodeError, OSError) as error:
        raise BadCertificate(f"the certificates for TLS cannot be used: {type(error).__name__}") from error
    return context


class Contexts:
    """Contexts by identity."""

    def __init__(self, default: ssl.SSLContext | None = None) -> None:
        """Prepare the shared one.

        Args:
            default: What certificates are checked against. Default: `trusted()`.
        """
        self._default = default or trusted()
        self._own: dict[Identity, ssl.SSLContext] = {}

    def of(self, identity: Identity | None) -> ssl.SSLContext:
        """Return the context for an identity; the shared one without.

        Raises:
            BadCertificate: A certificate or a key cannot be used.
        """
        if identity is None:
            return self._default
        context = self._own.get(identity)
        if context is None:
            if len(self._own) >= MOST:
                del self._own[next(iter(self._own))]
            context = self._own[identity] = context_of(identity, self._default)
        return context


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _copy(context: ssl.SSLContext) -> ssl.SSLContext:
    copy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificates = context.get_ca_certs(binary_form=True)
    if certificates:
        copy.load_verify_locations(cadata=b"".join(certificates))
    else:
        copy.load_default_certs()
    return _strict(copy)
