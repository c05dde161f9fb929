"""`hooksd verify`: what a webhook would say of requests that somebody wrote down, by the code that judges them live."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import click
import orjson

from hooksd.auth.handshake import Greeting
from hooksd.auth.remote import Remotes
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import LATER, Authentic, Observed, Refused
from hooksd.cli.invocation import shared_options
from hooksd.cli.loading import directory, settings_of
from hooksd.cli.output import as_json, safe, say
from hooksd.clock import Alarm
from hooksd.config.build import build
from hooksd.config.build_problem import BuildProblem
from hooksd.config.diagnostics import did_you_mean, render_text
from hooksd.config.settings import Settings
from hooksd.config.snapshot import CompiledWebhook, Revision
from hooksd.daemon.keys import KeyKeeper, fetch_https
from hooksd.daemon.sources import loader, secret_store
from hooksd.errors import DefinitionsRejected, UsageError
from hooksd.model import body as bodies
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.webhook import Webhook
from hooksd.telemetry.observer import Observer
from hooksd.web import credentials, naming
from hooksd.web.body import Unreadable, check_body

REFUSED = 1


@click.command()
@shared_options
@click.argument("webhook")
@click.argument("requests", metavar="REQUESTS", type=click.File("rb"))
@click.option("--now", type=float, metavar="UNIX", help="When they came, where a line does not say. Default: now.")
@click.pass_context
def command(ctx: click.Context, webhook: str, requests: BinaryIO, now: float | None) -> int:
    """Judge requests as WEBHOOK would, and print one verdict a line; exit with 1 when any is refused. Needs no daemon.

    REQUESTS has one JSON object a line: `method`, `url`, `headers` as a list of pairs, `body` or `body_b64`, and `now`.
    """
    moment = time.time() if now is None else now  # noqa: TID251 - a command has no clock handed in
    bench = _bench(settings_of(ctx), webhook)
    refused = 0
    for request, at in _read(requests, moment):
        verdict = bench.judge(request, at)
        refused += not verdict["accepted"]
        say(as_json(verdict))
        sys.stdout.flush()
    return REFUSED if refused else 0


def webhook_named(definitions: Definitions, name: str) -> Defined[Webhook]:
    """Return the definition of a webhook.

    Raises:
        UsageError: There is none of that name.
    """
    found = definitions.webhooks.get(name)
    if found is None:
        hint = did_you_mean(name, definitions.webhooks) or "`hooksd list webhooks` shows what there is"
        raise UsageError(f"there is no webhook `{safe(name)}`: {hint}")
    return found


class _Moment:
    """A clock that stands still."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, function: Callable[[], None]) -> Alarm:
        return asyncio.get_running_loop().call_later(seconds, function)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """A webhook as the daemon would have it."""

    webhook: CompiledWebhook
    remotes: Remotes

    def judge(self, request: Inbound, now: float) -> dict[str, Json]:
        """Return the verdict on a request, as it is printed."""
        verdict = self.webhook.verifier.verify(request, now)
        if verdict == Refused(reason=LATER):
            keeper = KeyKeeper(remotes=self.remotes, clock=_Moment(now), observer=Observer(), fetch=fetch_https)
            asyncio.run(keeper.round())
            verdict = self.webhook.verifier.verify(request, now)
        found = verdict.found if isinstance(verdict, Observed) else verdict
        greeting = None
        if self.webhook.greeter is not None:
            greeting = self.webhook.greeter.greet(request, authentic=isinstance(found, Authentic))
        if isinstance(greeting, Refused):
            verdict = found = greeting
        said = {
            "accepted": isinstance(greeting, Greeting) or not isinstance(verdict, Refused),
            "reason": found.reason if isinstance(found, Refused) and not isinstance(greeting, Greeting) else None,
            "key": found.key if isinstance(found, Authentic) else None,
            "event_type": None,
            "delivery_id": None,
            "handshake": _greeted(greeting) if isinstance(greeting, Greeting) else None,
        }
        if said["accepted"] and said["handshake"] is None:
            said["event_type"], said["delivery_id"] = self._read(request)
        return said

    def _read(self, request: Inbound) -> tuple[str | None, str | None]:
        try:
            document = check_body(request.media or bodies.JSON, request.body)
        except Unreadable:
            document = bodies.Document(bodies.JSON, b"")
        verifier = self.webhook.verifier
        delivery_id = verifier.id(request, document)
        scope: dict[str, Json] = {
            "body": document.value,
            "headers": credentials.kept_headers(request, verifier),
            "query": _query(request, self.webhook),
        }
        try:
            return naming.event_type(self.webhook, verifier.event(request, document), scope), delivery_id
        except naming.Unnamed:
            return None, delivery_id


def _query(request: Inbound, webhook: CompiledWebhook) -> dict[str, str]:
    try:
        return credentials.kept_query(request, webhook.verifier)
    except ValueError:
        return {}


def _greeted(greeting: Greeting) -> Json:
    return {"status": greeting.status, "headers": dict(greeting.headers), "body": greeting.body.decode()}


def _bench(settings: Settings, name: str) -> _Bench:
    store, remotes = secret_store(settings), Remotes()
    tree = directory(settings.hooks_dir)
    if tree.unreadable:
        raise DefinitionsRejected(render_text(tree.unreadable, color=False))
    loaded = loader(settings, store, remotes).load(tree.files)
    if loaded.definitions is None or not loaded.ok:
        raise DefinitionsRejected(render_text(loaded.diagnostics, color=False))
    webhook_named(loaded.definitions, name)
    try:
        snapshot = build(loaded.definitions, Revision(tree=""), store, None, loaded.verifiers)
    except BuildProblem as problem:
        raise DefinitionsRejected(render_text([problem.diagnostic], color=False)) from problem
    return _Bench(webhook=snapshot.webhooks[name], remotes=remotes)


def _read(requests: BinaryIO, now: float) -> Iterator[tuple[Inbound, float]]:
    for number, line in enumerate(requests, start=1):
        if not line.strip():
            continue
        try:
            yield _request(orjson.loads(line), now)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            what = "a key is missing: " if isinstance(error, KeyError) else ""
            raise UsageError(f"line {number} is no request: {what}{safe(error)}") from error


def _request(told: dict[str, Any], now: float) -> tuple[Inbound, float]:
    url = urlsplit(told["url"])
    # Text stands for its bytes in UTF-8, as curl sends it.
    headers = tuple((str(name).lower(), value.encode().decode("latin-1")) for name, value in told.get("headers", []))
    media = next((value for name, value in headers if name == "content-type"), "")
    body = base64.b64decode(told["body_b64"], validate=True) if "body_b64" in told else told.get("body", "").encode()
    request = Inbound(
        method=told.get("method", "POST").upper(),
        path=url.path,
        query_string=url.query,
        headers=headers,
        body=body,
        media=media.partition(";")[0].strip().lower(),
        url=told["url"] if url.scheme else None,
    )
    return request, float(told.get("now", now))
