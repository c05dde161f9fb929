"""The path of a trigger as one function: a webhook and a request in, an answer out. It knows no server.

Order: method, media type and length; authentication; body; event type and subject; accept (durable); answer. The
trigger app calls `screen` before it reads the body, then `receive` with the whole request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from hooksd.auth.handshake import Greeter
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import LATER, Authentic, Observed, Reason, Refused, Verdict
from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import CompiledWebhook
from hooksd.engine.ports import Accepted, Intake, Taken
from hooksd.errors import JournalError
from hooksd.model import body
from hooksd.model.arrival import Arrival
from hooksd.model.auth import BasicAuth, BearerAuth, JwtAuth
from hooksd.model.base import Json
from hooksd.model.ids import IdFactory
from hooksd.web import credentials, naming
from hooksd.web.answer import Answer, Headers, json_answer
from hooksd.web.body import Unreadable, parse_body
from hooksd.web.handshake import answer_of, may_greet
from hooksd.web.outcome import accepted_document, responded
from hooksd.web.problem import CLOSE, problem, unavailable
from hooksd.web.refusals import Refusals, WebReason

_NO_KEYS: Final = "the keys to check this with are being fetched; send the same request again in a moment"
_FULL: Final = "nothing can be written now; send the same request again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a request before its body is read."""

    method: str
    media: str
    """The declared media type, in lower case, without parameters; empty when there is none."""
    coding: str
    """The content coding, in lower case; empty when there is none."""
    length: int | None
    """Bytes of the body; None when the request does not say."""


class Promise(NamedTuple):
    """An answer that may be given when an event is durable."""

    taken: Taken
    time: str
    """When it came, RFC 3339."""


class Receiver:
    """Receives requests for webhooks."""

    def __init__(
        self, *, intake: Intake, clock: Clock, ids: IdFactory, public_url: str | None, refusals: Refusals
    ) -> None:
        """Take what it works with.

        Args:
            intake: Where events go.
            clock: The time.
            ids: Names events.
            public_url: The URL under which callers and operators reach the daemon; None: run URLs are paths.
            refusals: Where refused requests are counted.
        """
        self._intake = intake
        self._clock = clock
        self._ids = ids
        self._base = (public_url or "").rstrip("/")
        self._refusals = refusals

    def screen(self, webhook: CompiledWebhook, head: Head, peer: str) -> Answer | None:
        """Refuse what the head of a request already shows to be wrong; None: read the body."""
        value = webhook.value
        if head.method not in value.methods and not may_greet(webhook, head.method):
            return self._method(webhook, peer)
        if head.length is not None and head.length > value.limits.body:
            return self.too_large(webhook, peer)
        if head.coding not in {"", "identity"}:
            answer = problem(415, f"send the body as it is, without content coding {head.coding!r}")
            return self._refuse(webhook, "content_coding", peer, answer)
        if not _is_read(value.accept, head) and not may_greet(webhook, head.method):
            return self._media(webhook, head.media, peer)
        return None

    def _method(self, webhook: CompiledWebhook, peer: str) -> Answer:
        allow = ", ".join(webhook.value.methods)
        answer = problem(405, f"use {allow}", headers=((b"allow", allow.encode()),))
        return self._refuse(webhook, "method", peer, answer)

    def _media(self, webhook: CompiledWebhook, media: str, peer: str) -> Answer:
        wanted = ", ".join(webhook.value.accept)
        found = repr(media) if media else "none"
        answer = problem(415, f"send `Content-Type: {wanted}`; this request has {found}")
        return self._refuse(webhook, "media_type", peer, answer)

    def too_large(self, webhook: CompiledWebhook, peer: str) -> Answer:
        """Refuse a body that is longer than the webhook's limit, and close the connection over it."""
        answer = problem(413, f"the body may have at most {webhook.value.limits.body} bytes", headers=CLOSE)
        return self._refuse(webhook, "too_large", peer, answer)

    async def receive(self, webhook: CompiledWebhook, request: Inbound, peer: str) -> Answer:
        """Receive one request with its whole body.

        Args:
            webhook: The webhook at the request's path.
            request: The request; its body is not longer than the webhook's limit.
            peer: The address it came from.
        """
        codings = request.header_values("content-encoding")
        head = Head(
            method=request.method,
            media=request.media,
            coding=codings[0].lower() if codings else "",
            length=len(request.body),
        )
        if (answer := self.screen(webhook, head, peer)) is not None:
            return answer
        return await self.admit(webhook, request, peer)

    async def admit(self, webhook: CompiledWebhook, request: Inbound, peer: str) -> Answer:
        """Receive one request with its whole body that `screen` has let through, its length included."""
        outcome = self.take(webhook, request, peer)
        return outcome if isinstance(outcome, Answer) else await self.finish(webhook, outcome)

    def take(self, webhook: CompiledWebhook, request: Inbound, peer: str) -> Answer | Promise | Arrival:
        """Do everything of `admit` that waits for nothing: it is all of it but the disk.

        Returns:
            An answer; or what becomes one when the event is durable; or an event that needs something stored first:
            `finish` makes answers of both.
        """
        now = self._clock.now()
        verdict = webhook.verifier.verify(request, now)
        if webhook.greeter is not None and (greeted := self._greet(webhook.greeter, webhook, request, verdict, peer)):
            return greeted
        if isinstance(verdict, Refused):
            answer = unavailable(_NO_KEYS) if verdict.reason == LATER else problem(401, headers=_challenge(webhook))
            return self._refuse(webhook, verdict.reason, peer, answer)
        try:
            arrival = self._arrival(webhook, request, verdict, now)
        except Unreadable as error:
            return self._refuse(webhook, "unreadable_body", peer, problem(400, str(error)))
        except naming.Unnamed as error:
            return self._refuse(webhook, "unnamed_event", peer, problem(422, str(error)))
        taken = self._intake.take(arrival, origin=webhook.origin)
        return arrival if taken is None else Promise(taken, arrival.time)

    async def finish(self, webhook: CompiledWebhook, outcome: Promise | Arrival) -> Answer:
        """Wait until an event is durable, and for its workflow where the webhook wants it."""
        try:
            if isinstance(outcome, Arrival):
                accepted = await self._intake.accept(outcome.event(), origin=webhook.origin)
            else:
                await outcome.taken.durable
                accepted = outcome.taken.accepted
        except JournalError:
            return unavailable(_FULL)
        wait = webhook.value.wait
        if wait is not None:
            response = await self._intake.response(accepted.event, wait)
            if response is not None:
                return responded(response)
        return self._accepted(webhook, accepted, outcome.time)

    def kept(self, webhook: CompiledWebhook, promise: Promise, error: JournalError | None) -> Answer:
        """Answer when an event is durable, or cannot be; `finish` for those who do not wait for a workflow.

        Args:
            webhook: The webhook; it has no `wait`.
            promise: What `take` returned.
            error: What `Durable.then` told.
        """
        if error is not None:
            return unavailable(_FULL)
        return self._accepted(webhook, promise.taken.accepted, promise.time)

    def _accepted(self, webhook: CompiledWebhook, accepted: Accepted, time: str) -> Answer:
        if webhook.value.answer == "none":
            return Answer(status=204)
        return json_answer(202, accepted_document(accepted, time, self._base))

    def _greet(
        self, greeter: Greeter, webhook: CompiledWebhook, request: Inbound, verdict: Verdict, peer: str
    ) -> Answer | None:
        """Answer a provider that asks whether the URL is ours; refuse what `screen` let through for that alone."""
        greeting = greeter.greet(request, authentic=isinstance(_found(verdict), Authentic))
        if isinstance(greeting, Refused):
            return self._refuse(webhook, greeting.reason, peer, problem(403))
        if greeting is not None:
            return answer_of(greeting)
        if request.method not in webhook.value.methods:
            return self._method(webhook, peer)
        head = Head(method=request.method, media=request.media, coding="", length=len(request.body))
        return None if _is_read(webhook.value.accept, head) else self._media(webhook, head.media, peer)

    def _arrival(
        self, webhook: CompiledWebhook, request: Inbound, verdict: Authentic | Observed, now: float
    ) -> Arrival:
        verifier = webhook.verifier
        raw = credentials.kept_body(request, verifier)
        data = parse_body(request.media, raw)
        headers = credentials.kept_headers(request, verifier)
        query = _query(request, webhook)
        reading = verifier.read(request, data)
        scope: dict[str, Json] = {"body": data, "headers": headers, "query": query}
        return Arrival(
            id=self._ids.event(),
            type=naming.event_type(webhook, reading.event_type, scope),
            subject=naming.subject(webhook, scope),
            time=rfc3339(now),
            trust=verifier.trust,
            webhook=webhook.name,
            delivery_id=reading.delivery_id,
            headers=headers,
            query=query,
            media=request.media or body.JSON,
            raw=raw,
            data=data,
            key=verdict.key if isinstance(verdict, Authentic) else _key(verdict.found),
            observed=self._observed(webhook, verdict.found) if isinstance(verdict, Observed) else None,
        )

    def _observed(self, webhook: CompiledWebhook, found: Authentic | Refused) -> str:
        """Count what would have been said of a request, and return it."""
        said = "accepted" if isinstance(found, Authentic) else found.reason
        self._refusals.observed(webhook.name, said)
        return said

    def _refuse(self, webhook: CompiledWebhook, reason: Reason | WebReason, peer: str, answer: Answer) -> Answer:
        self._refusals.add(webhook=webhook.name, reason=reason, status=answer.status, peer=peer)
        return answer


def _found(verdict: Verdict) -> Authentic | Refused:
    return verdict.found if isinstance(verdict, Observed) else verdict


def _key(found: Authentic | Refused) -> int | None:
    return found.key if isinstance(found, Authentic) else None


def _is_read(accept: tuple[str, ...], head: Head) -> bool:
    if head.media:
        return body.accepts(accept, head.media)
    return not head.length  # no body, no media type; an unknown length shows when the body is there


def _query(request: Inbound, webhook: CompiledWebhook) -> dict[str, str]:
    try:
        return credentials.kept_query(request, webhook.verifier)
    except ValueError as error:
        raise Unreadable(f"the query has more than {credentials.MAX_FIELDS} parameters") from error


def _challenge(webhook: CompiledWebhook) -> Headers:
    match webhook.value.auth:
        case BearerAuth() | JwtAuth():
            return ((b"www-authenticate", b"Bearer"),)
        case BasicAuth():
            return ((b"www-authenticate", b'Basic realm="hooksd", charset="UTF-8"'),)
        case _:
            return ()
