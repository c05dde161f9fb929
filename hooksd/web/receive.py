"""The path of a trigger as one function: a webhook and a request in, an answer out. It knows no server.

Order: method, media type and length; authentication; body; event type and subject; accept (durable); answer. The
trigger app calls `screen` before it reads the body, then `take` with the whole request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from msgspec.structs import replace

from hooksd.auth.handshake import Greeter
from hooksd.auth.request import Inbound
from hooksd.auth.verdict import LATER, Authentic, Observed, Reason, Refused, Verdict
from hooksd.clock import Clock
from hooksd.config.body_schema import Violation
from hooksd.config.snapshot import CompiledWebhook, Entry
from hooksd.engine.ports import Accepted, Intake
from hooksd.errors import JournalError
from hooksd.model import body
from hooksd.model.arrival import Arrival
from hooksd.model.auth import BasicAuth, BearerAuth, JwtAuth
from hooksd.model.ids import IdFactory
from hooksd.model.network import is_within
from hooksd.model.received import Files
from hooksd.model.trust import Trust
from hooksd.web import idempotency, naming
from hooksd.web.answer import JSON_TYPE, Answer, Headers, json_answer
from hooksd.web.arriving import arrival_of
from hooksd.web.bodies import Bodies, Content, Shelf, is_special
from hooksd.web.body import Unreadable
from hooksd.web.duplicates import Duplicates
from hooksd.web.handover import Handover, Later, Outcome, Promise
from hooksd.web.handshake import answer_of, may_greet
from hooksd.web.inflate import ALIASES
from hooksd.web.multipart import Oversized
from hooksd.web.outcome import accepted_alone, accepted_document, responded
from hooksd.web.problem import CLOSE, FULL, problem, unavailable
from hooksd.web.refusals import Refusals, WebReason
from hooksd.web.throttle import Throttle

_NO_KEYS: Final = "the keys to check this with are being fetched; send the same request again in a moment"
_PLAIN: Final = frozenset({"", "identity"})
"""Content codings that are none."""


class Head(NamedTuple):
    """What is known of a request before its body is read."""

    method: str
    media: str
    """The declared media type, in lower case, without parameters; empty when there is none."""
    coding: str
    """The content coding, in lower case; empty when there is none."""
    length: int | None
    """Bytes of the body; None when the request does not say."""


class Receiver:
    """Receives requests for webhooks."""

    def __init__(
        self,
        *,
        intake: Intake,
        clock: Clock,
        ids: IdFactory,
        public_url: str | None,
        refusals: Refusals,
        shelf: Shelf,
        duplicates: Duplicates | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            intake: Where events go.
            clock: The time.
            ids: Names events.
            public_url: The URL under which callers and operators reach the daemon; None: run URLs are paths.
            refusals: Where refused requests are counted.
            shelf: Where files go that requests bring.
            duplicates: What was accepted before. Default: nothing.
        """
        self._intake = intake
        self._clock = clock
        self._ids = ids
        self._base = (public_url or "").rstrip("/")
        self._refusals = refusals
        self._bodies = Bodies(shelf)
        self._throttle = Throttle(clock)
        self._handover = Handover(
            intake=intake,
            duplicates=Duplicates(clock.now) if duplicates is None else duplicates,
            refusals=refusals,
            folder=shelf.folder,
        )

    def screen(self, webhook: CompiledWebhook, head: Head, peer: str) -> Answer | None:
        """Refuse what the head of a request already shows to be wrong; None: read the body."""
        entry = webhook.entry
        if entry is not None and (refused := self._door(webhook, entry, peer)) is not None:
            return refused
        return self.unfit(webhook, head, peer)

    def unfit(self, webhook: CompiledWebhook, head: Head, peer: str) -> Answer | None:
        """Refuse what the head alone shows to be wrong; `screen` asks who calls, and how often, before."""
        value, entry = webhook.value, webhook.entry
        if head.method not in value.methods and not may_greet(webhook, head.method):
            return self._method(webhook, peer)
        if head.length is not None and head.length > webhook.limit:
            return self.too_large(webhook, peer)
        if head.coding not in _PLAIN and not (entry is not None and entry.unpacks and head.coding in ALIASES):
            return self._coding(webhook, head.coding, peer)
        if head.media in webhook.plain or _is_read(webhook, head) or may_greet(webhook, head.method):
            return None
        return self._media(webhook, head.media, peer)

    def _door(self, webhook: CompiledWebhook, entry: Entry, peer: str) -> Answer | None:
        """Refuse whoever may not call at all, or calls too often for one address."""
        if entry.allowed is not None and not is_within(peer, entry.allowed):
            return self._refuse(webhook, "address", peer, problem(403, headers=CLOSE))
        return self._too_often(webhook, entry, peer, per_address=True)

    def _too_often(self, webhook: CompiledWebhook, entry: Entry, peer: str, *, per_address: bool) -> Answer | None:
        wait = self._throttle.wait(webhook.name, entry.rates, peer, per_address=per_address) if entry.rates else 0
        if not wait:
            return None
        answer = problem(429, "too many requests; try again later", headers=((b"retry-after", b"%d" % wait),))
        return self._refuse(webhook, "rate", peer, answer)

    def _coding(self, webhook: CompiledWebhook, coding: str, peer: str) -> Answer:
        taken = ", ".join(webhook.value.accept_encoding) or "identity"
        detail = f"send the body as it is, without content coding {coding[:80]!r}"
        if webhook.value.accept_encoding:
            detail = f"send the body as it is, or as {taken}, not as {coding[:80]!r}"
        answer = problem(415, detail, headers=((b"accept-encoding", taken.encode()),))  # RFC 7694 section 3
        return self._refuse(webhook, "content_coding", peer, answer)

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
        answer = problem(413, f"the body may have at most {webhook.limit} bytes", headers=CLOSE)
        return self._refuse(webhook, "too_large", peer, answer)

    def take(self, webhook: CompiledWebhook, request: Inbound, peer: str) -> Outcome:
        """Receive one request with its whole body that `screen` has let through; all of it but what has to wait.

        Returns:
            An answer; or what becomes one when the event is durable: `kept` makes it, or `finish`, and one of them has
            to be called. Or an event that needs something stored first, or has to wait for something else: `finish`
            makes answers of these.
        """
        now = self._clock.now()
        verdict = webhook.verifier.verify(request, now)
        if webhook.greeter is not None and (greeted := self._greet(webhook.greeter, webhook, request, verdict, peer)):
            return greeted
        if isinstance(verdict, Refused):
            answer = unavailable(_NO_KEYS) if verdict.reason == LATER else problem(401, headers=_challenge(webhook))
            return self._refuse(webhook, verdict.reason, peer, answer)
        entry = webhook.entry
        if entry is not None and (late := self._too_often(webhook, entry, peer, per_address=False)) is not None:
            return late
        if (request.media != body.JSON or entry is not None) and is_special(webhook, request):
            reading = partial(self._bodies.read, webhook, request)
            return Later(partial(self._with, webhook, request, peer, verdict, now, reading))
        return self._enter(webhook, request, peer, verdict, now)

    async def stream(
        self, webhook: CompiledWebhook, request: Inbound, pieces: AsyncIterator[bytes], peer: str
    ) -> Outcome:
        """Receive a form with files whose body is not needed to know who sends it: no file of it is ever in memory.

        Args:
            webhook: The webhook at the request's path; `screen` has let the request through.
            request: The request, with an empty body.
            pieces: The body. Raises Oversized.
            peer: The address it came from.
        """
        now = self._clock.now()
        verdict = webhook.verifier.verify(request, now)
        if isinstance(verdict, Refused):
            return self._refuse(webhook, verdict.reason, peer, problem(401, headers=_challenge(webhook) + CLOSE))
        entry = webhook.entry
        if entry is not None and (late := self._too_often(webhook, entry, peer, per_address=False)) is not None:
            return late
        reading = partial(self._bodies.form, webhook, request, pieces)
        return await self._with(webhook, request, peer, verdict, now, reading)

    async def _with(
        self,
        webhook: CompiledWebhook,
        request: Inbound,
        peer: str,
        verdict: Authentic | Observed,
        now: float,
        reading: Callable[[], Awaitable[Content]],
    ) -> Outcome:
        """Read a body and go on."""
        try:
            return self._enter(webhook, request, peer, verdict, now, await reading())
        except Unreadable as error:
            return self._refuse(webhook, "unreadable_body", peer, problem(400, str(error)))
        except Oversized as error:
            return self._refuse(webhook, "too_large", peer, problem(413, str(error), headers=CLOSE))
        except JournalError:
            return unavailable(FULL)

    def _enter(
        self,
        webhook: CompiledWebhook,
        request: Inbound,
        peer: str,
        verdict: Authentic | Observed,
        now: float,
        content: Content | None = None,
    ) -> Outcome:
        """Make an event of an authentic request and hand it on. There is no content where the body is read as it is."""
        entry = webhook.entry
        files: Files = {}
        fingerprint = None
        try:
            arrival = arrival_of(webhook, request, verdict, now, content, self._ids.event)
            if arrival.observed is not None:
                self._refusals.observed(webhook.name, arrival.observed)
            if entry is not None and entry.schema is not None and (wrong := entry.schema.violations(arrival.data)):
                return self._refuse(webhook, "schema", peer, _violated(wrong))
            if content is not None:
                files = content.files
            if arrival.delivery_id is None and idempotency.HEADER in arrival.headers and _may_choose(arrival, entry):
                arrival = replace(arrival, delivery_id=idempotency.key_in(arrival.headers))
                fingerprint = idempotency.fingerprint_of(arrival.media, arrival.raw, files)
        except Unreadable as error:
            return self._refuse(webhook, "unreadable_body", peer, problem(400, str(error)))
        except naming.Unnamed as error:
            return self._refuse(webhook, "unnamed_event", peer, problem(422, str(error)))
        return self._handover.give(webhook, arrival, files, fingerprint, peer)

    async def finish(self, webhook: CompiledWebhook, outcome: Outcome) -> Answer:
        """Wait until an event is durable, and for its workflow where the webhook wants it."""
        while isinstance(outcome, Later):
            outcome = await outcome.resume()
        if isinstance(outcome, Answer):
            return outcome
        try:
            accepted = await self._handover.kept(webhook, outcome)
        except JournalError:
            return unavailable(FULL)
        if webhook.wait is not None:
            response = await self._intake.response(accepted.event, webhook.wait)
            if response is not None:
                return responded(response)
        return self._accepted(webhook, accepted, outcome.time)

    def kept(self, webhook: CompiledWebhook, promise: Promise, error: JournalError | None) -> Answer:
        """Answer when an event is durable, or cannot be; `finish` for those who do not wait for a workflow.

        Args:
            webhook: The webhook; it has no `wait`.
            promise: What `take` returned. Once for each.
            error: What `Durable.then` told.
        """
        self._handover.told(promise, error)
        if error is not None:
            return unavailable(FULL)
        return self._accepted(webhook, promise.taken.accepted, promise.time)

    def _accepted(self, webhook: CompiledWebhook, accepted: Accepted, time: str) -> Answer:
        if not webhook.answers:
            return Answer(status=204)
        if not accepted.runs:
            return Answer(202, JSON_TYPE, accepted_alone(accepted.event))
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
        return None if _is_read(webhook, head) else self._media(webhook, head.media, peer)

    def _refuse(self, webhook: CompiledWebhook, reason: Reason | WebReason, peer: str, answer: Answer) -> Answer:
        self._refusals.add(webhook=webhook.name, reason=reason, status=answer.status, peer=peer)
        return answer


def _found(verdict: Verdict) -> Authentic | Refused:
    return verdict.found if isinstance(verdict, Observed) else verdict


def _is_read(webhook: CompiledWebhook, head: Head) -> bool:
    if webhook.media is not None:
        return True
    if head.media:
        return body.accepts(webhook.value.accept, head.media)
    return not head.length  # no body, no media type; an unknown length shows when the body is there


def _may_choose(arrival: Arrival, entry: Entry | None) -> bool:
    """Tell whether a caller may say which request this is: a signature would not cover it."""
    return arrival.trust < Trust.SIGNED and not (entry is not None and entry.takes_all)


def _violated(violations: Sequence[Violation]) -> Answer:
    first = violations[0]
    errors = [{"path": violation.path, "message": violation.message} for violation in violations]
    return problem(422, f"the body does not fit its schema: {first.path}: {first.message}", more={"errors": errors})


def _challenge(webhook: CompiledWebhook) -> Headers:
    match webhook.value.auth:
        case BearerAuth() | JwtAuth():
            return ((b"www-authenticate", b"Bearer"),)
        case BasicAuth():
            return ((b"www-authenticate", b'Basic realm="hooksd", charset="UTF-8"'),)
        case _:
            return ()
