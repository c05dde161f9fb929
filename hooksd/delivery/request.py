"""Requests: from an endpoint and a payload, or from what a step asks for, to the exact bytes and headers to send. Pure.

Called by `delivery.dispatcher` for every attempt, so that a reload is in force with the next one, and by
`delivery.sender` for the requests of `http` steps.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from hooksd import __version__
from hooksd.config.snapshot import CompiledEndpoint
from hooksd.delivery.egress import rules_of
from hooksd.delivery.head import start_of, written
from hooksd.delivery.place import NoPlace, place_of
from hooksd.delivery.signing import (
    ID_HEADER,
    SIGNATURE_HEADER,
    STANDARD,
    TIMESTAMP_HEADER,
    header_of,
    is_private_key,
    sign,
    standard_mac,
)
from hooksd.delivery.transport_wire import IDEMPOTENT, Way
from hooksd.instant import unix
from hooksd.model.effect import MakeRequest
from hooksd.model.egress import Egress
from hooksd.model.header import CREDENTIAL_HEADERS, header_problem
from hooksd.model.identity import Identity
from hooksd.model.secret import Secret
from hooksd.signature import Mac, standard_webhooks

USER_AGENT = f"hooksd/{__version__}"

_PLANS = 4
"""Media types of one endpoint whose plans are kept: a caller may have chosen them."""

_DEFAULTS = {
    name.lower(): (name, value)
    for name, value in {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}.items()
}
"""What goes along with every request unless somebody says otherwise."""

MIN_SECRET = 8
"""Characters; a shorter secret would be found in everything."""

_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f]")


class RequestProblem(Exception):
    """A request cannot be made of what was given. The message says what, where and why, without secrets."""


class Prepared(NamedTuple):
    """A request ready to be sent. A tuple, because one is made for every attempt: a dataclass takes twice as long."""

    method: str
    url: str
    headers: Mapping[str, str]
    """Each name once, without those that say who is asked and where it ends. Nobody changes them."""
    body: bytes
    way: Way | str
    """Text: the URL leads nowhere, and why."""
    written: bytes
    """All of it as HTTP/1.1 writes it, where there is a way."""


class Payload(NamedTuple):
    """What a delivery carries, the same in every attempt."""

    delivery: str
    """Its id; the `webhook-id`."""
    headers: Mapping[str, str]
    query: Mapping[str, str]
    media: str
    body: bytes


def prepare(endpoint: CompiledEndpoint, payload: Payload, timestamp: int, authorization: str | None = None) -> Prepared:
    """Make the request of one attempt.

    Headers of the step replace those of the endpoint, and both replace ours, but for those of the signature. GET has no
    body, because receivers give it no meaning (RFC 9110 section 9.3.1); the signature is then over no bytes.

    Args:
        endpoint: As defined now.
        payload: What is delivered.
        timestamp: Unix seconds, for the signature.
        authorization: The value of the header, where it is had anew. Default: the endpoint's.

    Raises:
        RequestProblem: The URL, a header or a secret is not what it must be.
    """
    value = endpoint.value
    body = b"" if value.method == "GET" else payload.body
    media = payload.media if body else ""
    is_usual = not payload.headers and not payload.query and authorization is None
    plan = endpoint.plans.get(media) if is_usual else None
    if not isinstance(plan, _Plan):
        plan = _planned(endpoint, media, payload.headers, payload.query, authorization)
        if is_usual and len(endpoint.plans) < _PLANS:
            endpoint.plans[media] = plan
    own: Mapping[str, str]
    if plan.mac is not None:
        signature = standard_webhooks(plan.mac, payload.delivery, timestamp, body)
        own = {ID_HEADER: payload.delivery, TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature}
    else:
        own = _own(endpoint, payload.delivery, timestamp, body)
    whole = written(plan.start, own.items(), value.method, body)
    return Prepared(value.method, plan.url, {**plan.headers, **own}, body, plan.way, whole)


def request_of(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    egress: Egress | None = None,
    is_literal: bool = True,
    identity: Identity | None = None,
) -> Prepared:
    """Return a request that is no delivery.

    Args:
        method: The method.
        url: Where it goes.
        headers: Each name once, without those that say who is asked and where it ends.
        body: The exact bytes.
        egress: Where it may go, beyond what holds for all.
        is_literal: The host is written literally in a definition.
        identity: What TLS needs of its own.
    """
    way = _way(url, egress, is_literal=is_literal, identity=identity, may_repeat=method in IDEMPOTENT)
    whole = written(_start(method, way, headers), (), method, body)
    return Prepared(method, url, headers, body, way, whole)


class _Plan(NamedTuple):
    """What requests of an endpoint have in common."""

    url: str
    headers: Mapping[str, str]
    """All but those that are ours."""
    way: Way | str
    start: bytes
    """Of what is written: see `delivery.head`."""
    mac: Mac | None
    """The key, where one signs as Standard Webhooks has it; None: see `_signature`."""


def _planned(
    endpoint: CompiledEndpoint,
    media: str,
    given: Mapping[str, str],
    query: Mapping[str, str],
    authorization: str | None,
) -> _Plan:
    """Work out what does not change from one request to the next.

    Raises:
        RequestProblem: The URL or a header is not what it must be.
    """
    value = endpoint.value
    url, credentials = _address(endpoint.url, urlencode(query) if query else "")
    if (proof := authorization or endpoint.authorization) is not None:
        credentials = {"Authorization": proof}
    content = {"Content-Type": media} if media else {}
    ours = {ID_HEADER, TIMESTAMP_HEADER}
    if endpoint.secrets:
        ours |= {header_of(scheme).lower() for scheme in value.sign}
    headers = _headers((content, credentials, endpoint.headers, given), ours)
    way = _way(
        url,
        value.egress,
        is_literal=endpoint.is_literal,
        identity=endpoint.identity,
        may_repeat=True,
        is_fresh=value.at_most_once,
    )
    return _Plan(url, headers, way, _start(value.method, way, headers), _mac(endpoint))


def _way(
    url: str,
    egress: Egress | None,
    *,
    is_literal: bool,
    identity: Identity | None,
    may_repeat: bool,
    is_fresh: bool = False,
) -> Way | str:
    try:
        place = place_of(url)
    except NoPlace as problem:
        return str(problem)
    return Way(
        place=place,
        rules=rules_of(egress),
        is_literal=is_literal,
        identity=identity,
        may_repeat=may_repeat,
        is_fresh=is_fresh,
    )


def _start(method: str, way: Way | str, headers: Mapping[str, str]) -> bytes:
    return b"" if isinstance(way, str) else start_of(method, way.place, headers.items())


def _mac(endpoint: CompiledEndpoint) -> Mac | None:
    if len(endpoint.secrets) != 1 or endpoint.value.sign != (STANDARD,):
        return None
    secret = endpoint.secrets[0].reveal()
    try:
        return None if is_private_key(secret) else standard_mac(secret)
    except ValueError:
        return None  # `_signature` says why


def _own(endpoint: CompiledEndpoint, delivery: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that nobody else may say.

    Raises:
        RequestProblem: A secret does not fit.
    """
    ours = {ID_HEADER: delivery, TIMESTAMP_HEADER: str(timestamp)}
    if endpoint.secrets:
        ours |= _signature(endpoint, delivery, timestamp, body)
    return dict({name.lower(): (name, value) for name, value in ours.items()}.values())


def _signature(endpoint: CompiledEndpoint, delivery: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """Return the headers of every way to sign, with the secrets that are still good.

    Raises:
        RequestProblem: A secret does not fit.
    """
    until = endpoint.value.secret_not_after
    secrets = endpoint.secrets if until is None or timestamp <= unix(until) else endpoint.secrets[:1]
    keys = list(map(Secret.reveal, secrets))
    headers: dict[str, str] = {}
    try:
        for scheme in endpoint.value.sign:
            headers.update(sign(scheme, keys, id=delivery, timestamp=timestamp, body=body))
    except ValueError as error:
        raise RequestProblem(f"cannot sign for endpoint {endpoint.name}: {error}") from error
    return headers


def prepare_request(effect: MakeRequest) -> Prepared:
    """Make the request of an `http` step.

    Raises:
        RequestProblem: The URL or a header is not what it must be.
    """
    url, credentials = _address(effect.url, "")
    headers = _headers((credentials, effect.headers), ())
    return request_of(effect.method, url, headers, effect.body, egress=effect.egress, is_literal=effect.is_literal)


def step_problem(headers: Mapping[str, str], query: Mapping[str, str], secrets: Iterable[Secret]) -> str | None:
    """Return why a step may not add these to a delivery: they would be refused by HTTP, or end up in the log readable.

    Args:
        headers: Of the step, rendered.
        query: Of the step, rendered.
        secrets: Those that some step may read.
    """
    if not (headers or query):
        return None
    texts = (secret.reveal().decode("utf-8", "replace") for secret in secrets)
    known = [text for text in texts if len(text) >= MIN_SECRET]
    for name, value in headers.items():
        if problem := header_problem(name, value):
            return problem
        if name.lower() in CREDENTIAL_HEADERS or any(secret in value for secret in known):
            return f"the header {name} holds a credential: it belongs on the endpoint, as a step's are kept in the log"
    for name, value in query.items():
        if any(secret in value for secret in known):
            return f"the parameter {name} holds a secret: it belongs on the endpoint, as a step's are kept in the log"
    return None


@functools.lru_cache(maxsize=1024)
def _address(url: str, query: str) -> tuple[str, Mapping[str, str]]:
    """Return the URL to ask for, without user and fragment, and the header that the user becomes (RFC 7617)."""
    if _NOT_IN_URL.search(url):
        raise RequestProblem("the URL holds a space or a control character: encode it with `| urlencode`")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RequestProblem(f"the URL is not one: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestProblem("the URL must begin with https:// or http:// and a host")
    if port == 0:
        raise RequestProblem("the URL has port 0, where nobody can listen")
    user, at, host = parts.netloc.rpartition("@")
    credentials = {"Authorization": _basic(user)} if at else {}
    together = "&".join(filter(None, (parts.query, query)))
    return urlunsplit((parts.scheme, host, parts.path or "/", together, "")), credentials


def _basic(user: str) -> str:
    name, _, password = user.partition(":")
    return "Basic " + base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode()


def _headers(given: Iterable[Mapping[str, str]], ours: Collection[str]) -> Mapping[str, str]:
    """Lay headers over each other, later ones replacing earlier ones whatever their case; none that is ours."""
    merged = _DEFAULTS.copy()
    for layer in given:
        merged.update(map(_checked, layer, layer.values()))
    return dict(header for name, header in merged.items() if name not in ours)


@functools.lru_cache(maxsize=1024)
def _checked(name: str, value: str) -> tuple[str, tuple[str, str]]:
    """Return a header that may be sent, and in front of it what it is known by. Most are the same in every request."""
    if problem := header_problem(name, value):
        raise RequestProblem(problem)
    return name.lower(), (name, value.strip(" \t"))
