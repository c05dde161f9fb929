"""Signatures that leave something of a request open, or cover what is not known here: warnings, for they do work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hooksd.auth.coverage import coverage, covers_url, leaves, signed_variants
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.config.checks.written import Written
from hooksd.config.finding import Finding
from hooksd.model.auth import ConcreteAuth, SignedAuth
from hooksd.model.webhook import Webhook


def check(webhooks: Iterable[Written], *, public_url: str | None) -> Iterator[Finding]:
    """Return every one of some webhooks whose signature covers too little of a GET, or a URL that is not known.

    Args:
        webhooks: Those to look at.
        public_url: The URL that callers use, from the settings.
    """
    for written in webhooks:
        webhook = written.value if isinstance(written.value, Webhook) else None
        for known in _proofs(webhook):
            if webhook is not None and isinstance(known, SignedAuth):
                yield from _open(written, webhook, known)
            if public_url is None:
                yield from _unknown_url(written, known)


def _proofs(webhook: Webhook | None) -> tuple[ConcreteAuth, ...]:
    try:
        return () if webhook is None else leaves(expand(webhook.auth))
    except AuthProblem:
        return ()


def _open(written: Written, webhook: Webhook, known: SignedAuth) -> Iterator[Finding]:
    signed = signed_variants(known).values()
    if "GET" not in webhook.methods or all(covers_url(text) or "{query:" in text for text in signed):
        return
    yield Finding(
        code="H025",
        message="the signature covers no query: one over an empty body lets any GET in",
        file=written.file,
        path=(*written.path, "methods"),
        hint='remove "GET", or do nothing with `query` that matters',
        severity="warning",
    )


def _unknown_url(written: Written, known: ConcreteAuth) -> Iterator[Finding]:
    if not coverage(known).url:
        return
    yield Finding(
        code="H026",
        message="the URL is signed, and nobody said what it is: every request will be refused",
        file=written.file,
        path=(*written.path, "auth"),
        hint='set `public_url = "https://HOST"`, exactly as the provider knows it',
        severity="warning",
    )
