"""Secrets: is each there, is it good enough, and can the webhook work with it? Values never leave this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hooksd.auth.lint import problems
from hooksd.auth.presets import expand
from hooksd.auth.problem import AuthProblem
from hooksd.config.certificates import pem_problem
from hooksd.config.checks.names import place_of
from hooksd.config.checks.permissions import secrets_in
from hooksd.config.checks.urls import url_problem
from hooksd.config.checks.written import Reading, Written, texts_of
from hooksd.config.endpoints import REFERENCES, identity_of, signing_problem
from hooksd.config.finding import Finding
from hooksd.config.position import Path
from hooksd.config.remembered import Secrets
from hooksd.config.secrets import SecretProblem
from hooksd.config.verifiers import Verifiers
from hooksd.expr.problem import RenderProblem
from hooksd.expr.template import compile_template
from hooksd.model.base import Json
from hooksd.model.endpoint import Endpoint
from hooksd.model.header import header_problem
from hooksd.model.secret import Secret, is_reference
from hooksd.model.webhook import Webhook

_AUTH_CODES = {"preset": "H021"}


def check_auth(webhook: Written) -> Iterator[Finding]:
    """Return what is wrong with a webhook's `auth` whatever its secrets are."""
    if not isinstance(webhook.value, Webhook):
        return
    try:
        found = problems(expand(webhook.value.auth))
    except AuthProblem as problem:
        found = (problem,)
    for rule in found:
        yield _auth_finding(webhook, rule, _AUTH_CODES.get(rule.key, "H022"))


def check(
    definitions: Iterable[Written], store: Secrets, verifiers: Verifiers, *, allow_inline: bool
) -> Iterator[Finding]:
    """Return every secret of some definitions that is missing, empty, literal or unusable.

    Args:
        definitions: Those to look at.
        store: Where references are looked up.
        verifiers: Makes the verifiers of webhooks, to see whether it can.
        allow_inline: A literal secret is a warning, not an error.
    """
    for item in definitions:
        if item.kind == "webhook":
            yield from _webhook(item, verifiers, allow_inline=allow_inline)
        elif item.kind == "endpoint":
            yield from _endpoint(item, store, allow_inline=allow_inline)
        elif item.kind == "role":
            for path, name in texts_of(item.table.get("secrets"), (*item.path, "secrets")):
                yield from _named(item.file, path, name, store, None)


def _endpoint(endpoint: Written, store: Secrets, *, allow_inline: bool) -> Iterator[Finding]:
    is_complete = True
    for keys in REFERENCES:
        value: Json = endpoint.table
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        for path, reference in texts_of(value, (*endpoint.path, *keys)):
            found = list(_present(endpoint.file, path, reference, store.get, allow_inline=allow_inline))
            yield from found
            is_complete = is_complete and all(finding.severity != "error" for finding in found)
            if keys == ("secret",) and not found and (problem := signing_problem(store.get(reference))) is not None:
                yield Finding(code="H072", message=f"the secret cannot sign: {problem}", file=endpoint.file, path=path)
    if is_complete and endpoint.is_sound and isinstance(endpoint.value, Endpoint):
        yield from _certificates(endpoint, endpoint.value, store)
    for reading in endpoint.readings:
        missing = [
            finding
            for name in secrets_in(reading)
            for finding in _named(endpoint.file, reading.path, name, store, place_of(f"secrets.{name}", reading.source))
        ]
        yield from missing
        if endpoint.is_sound and not missing and all(name.startswith("secrets.") for name in reading.names):
            yield from _rendered(endpoint, reading, store)


def _certificates(endpoint: Written, value: Endpoint, store: Secrets) -> Iterator[Finding]:
    identity = identity_of(value, store.get)
    problem = None if identity is None else pem_problem(identity)
    if problem is not None:
        message = f"`tls.{problem.key}` cannot be used: {problem.text}"
        yield Finding(code="H072", message=message, file=endpoint.file, path=(*endpoint.path, "tls", problem.key))


def _rendered(endpoint: Written, reading: Reading, store: Secrets) -> Iterator[Finding]:
    """Find what becomes of a URL or a header with its secrets when it cannot be sent. Its value is not shown."""
    key = str(reading.path[len(endpoint.path)])
    try:
        secrets = {name: store.named(name).text() for name in secrets_in(reading)}
        text = compile_template(reading.source).text({"secrets": secrets})
    except (RenderProblem, UnicodeDecodeError) as error:
        problem = "a secret that it reads is not UTF-8 text" if isinstance(error, ValueError) else str(error)
    else:
        if key == "url":
            wrong = url_problem(text, is_whole=True, may_hold_user=True)
            # What the message of a parser says may hold a part of the secret.
            problem = "with its secrets this is no URL that can be called" if wrong else ""
        else:
            problem = header_problem(str(reading.path[-1]), text) or ""
    if problem:
        yield Finding(code="H072", message=problem, file=endpoint.file, path=reading.path)


def _webhook(webhook: Written, verifiers: Verifiers, *, allow_inline: bool) -> Iterator[Finding]:
    missing = False
    for path, reference in _references(webhook.table.get("auth"), (*webhook.path, "auth")):
        for finding in _present(webhook.file, path, reference, verifiers.secret, allow_inline=allow_inline):
            missing = missing or finding.severity == "error"
            yield finding
    # A verifier can be tried only when the definition is right and the secrets are there.
    if missing or not isinstance(webhook.value, Webhook) or not webhook.is_sound:
        return
    try:
        verifiers.of(webhook.value.auth)
    except AuthProblem as problem:
        yield _auth_finding(webhook, problem, "H072")
    except SecretProblem as problem:
        yield _secret_finding(webhook.file, (*webhook.path, "auth"), problem, None)


def _references(auth: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every reference to a secret in an `auth` and in those that it is made of."""
    if not isinstance(auth, dict):
        return
    for key in ("secret", "password", "verify_token"):
        yield from texts_of(auth.get(key), (*path, key))
    # A public key is no secret: it may stand in the file itself.
    yield from (
        (place, text) for place, text in texts_of(auth.get("public_key"), (*path, "public_key")) if is_reference(text)
    )
    if isinstance(jwks_file := auth.get("jwks_file"), str):
        yield (*path, "jwks_file"), f"file:{jwks_file}"
    parts = auth.get("of")
    for place, part in enumerate(parts if isinstance(parts, list) else ()):
        yield from _references(part, (*path, "of", place))


def _present(
    file: str, path: Path, reference: str, secret: Callable[[str], Secret], *, allow_inline: bool
) -> Iterator[Finding]:
    """Look a reference up, and say what is wrong with it."""
    if not is_reference(reference):
        yield Finding(
            code="H071",
            message="a secret stands in the file itself",
            file=file,
            path=path,
            hint='refer to it: "credential:NAME", "env:NAME" or "file:PATH"',
            severity="warning" if allow_inline else "error",
        )
        return
    try:
        secret(reference)
    except SecretProblem as problem:
        yield _secret_finding(file, path, problem, None)


def _named(file: str, path: Path, name: str, store: Secrets, within: tuple[int, int] | None) -> Iterator[Finding]:
    """Look up what `secrets.NAME` reads, and say what is wrong with it."""
    try:
        store.named(name)
    except SecretProblem as problem:
        yield _secret_finding(file, path, problem, within)


def _secret_finding(file: str, path: Path, problem: SecretProblem, within: tuple[int, int] | None) -> Finding:
    return Finding(code="H070", message=problem.message, file=file, path=path, within=within, hint=problem.hint)


def _auth_finding(webhook: Written, problem: AuthProblem, code: str) -> Finding:
    path = (*webhook.path, "auth", *problem.within, *((problem.key,) if problem.key else ()))
    return Finding(code=problem.code or code, message=problem.message, file=webhook.file, path=path, hint=problem.hint)
