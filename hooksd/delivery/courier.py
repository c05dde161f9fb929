"""One delivery on its way: created, attempted and ended, with every step in the log before the next.

`delivery.dispatcher` says which delivery is next; nothing here knows of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.attempt import Attempted, Sender, not_made, redacted
from hooksd.delivery.entry import Entry
from hooksd.delivery.gates import Gates
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.multipart import MEDIA, multipart
from hooksd.delivery.pinned import pin, unpin
from hooksd.delivery.policy import Over, TryAgain, next_step, patience, rule_from_json, rule_to_json
from hooksd.delivery.request import Payload, RequestProblem, prepare
from hooksd.delivery.state import Delivery, apply, begin
from hooksd.delivery.tokens import Tokens
from hooksd.delivery.transport_wire import IDEMPOTENT
from hooksd.model.effect import Deliver
from hooksd.model.received import ReceivedFile
from hooksd.model.record import AttemptEnded, AttemptStarted, DeliveryCreated, DeliveryEnded
from hooksd.model.retry import RetryRule
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

UNAUTHORIZED = 401


class Courier:
    """Carries deliveries, one step at a time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        current: Callable[[], Snapshot],
        sender: Sender,
        gates: Gates,
        jitter: Callable[[], float],
        observer: Observer,
    ) -> None:
        """Take the world as arguments; they mean what they mean to `Dispatcher`."""
        self._ledger = ledger
        self._tokens = Tokens(sender=sender, clock=clock)
        self._clock = clock
        self._current = current
        self._sender = sender
        self._gates = gates
        self._jitter = jitter
        self._observer = observer

    def needs_blob(self, effect: Deliver, entries: Sequence[Entry]) -> bool:
        """Tell whether something must be kept beside the log before deliveries are created, which takes its time."""
        endpoints = self._current().endpoints
        return (
            len(effect.body) > BLOB_THRESHOLD
            or _has_files(effect)
            or any(
                entry.endpoint in endpoints and endpoints[entry.endpoint].value.retry_target == "pinned"
                for entry in entries
            )
        )

    async def create(self, asked: Sequence[tuple[Deliver, Sequence[Entry]]]) -> None:
        """Make the deliveries of some steps durable, in one write."""
        created = [await self._created(effect, entries) for effect, entries in asked]
        await self._ledger.write([record for records in created for record in records])
        for (_, entries), records in zip(asked, created, strict=True):
            for entry, record in zip(entries, records, strict=True):
                entry.state = begin(record)

    async def _created(self, effect: Deliver, entries: Sequence[Entry]) -> list[DeliveryCreated]:
        body = await (self._with_files(effect) if _has_files(effect) else self._ledger.keep(effect.media, effect.body))
        pinned = [await self._pinned(entry.endpoint) for entry in entries]
        at = rfc3339(self._clock.now())
        revision = self._current().revision.id
        return [
            DeliveryCreated(
                at=at,
                delivery=entry.id,
                endpoint=entry.endpoint,
                event=effect.event,
                run=effect.run,
                step=effect.step,
                revision=revision,
                headers=dict(effect.headers),
                query=dict(effect.query),
                body=body,
                retry=rule_to_json(effect.retry),
                subject=effect.subject,
                pinned=kept,
                is_call=effect.is_call,
                by=effect.by,
            )
            for entry, kept in zip(entries, pinned, strict=True)
        ]

    async def _with_files(self, effect: Deliver) -> StoredBody:
        """Return a form with the files of the event as a record holds it."""
        files: list[tuple[ReceivedFile, bytes]] = []
        for file in effect.files.values():
            try:
                files.append((file, await self._ledger.blob(file.digest)))
            except KeyError:
                # The attempts will say so: a delivery that is asked for has a recorded end.
                return StoredBody(media=effect.media, size=file.size, encoding="blob", content=file.digest)
        media, raw = await asyncio.to_thread(multipart, orjson.loads(effect.body), files)
        return await self._ledger.keep(media, raw)

    async def again(self, entry: Entry, attempts: int) -> None:
        """Make a delivery durable that had its end and begins anew, with the same id.

        Args:
            entry: With its state of then.
            attempts: How many it had.
        """
        record = replace(entry.known.created, at=rfc3339(self._clock.now()), attempts=max(attempts, 1), again=entry.id)
        await self._ledger.write([record])
        entry.state = begin(record)

    async def attempt(self, entry: Entry, released: Callable[[], None]) -> None:
        """Make one attempt, and end the delivery if it was the last.

        Args:
            entry: The delivery.
            released: Called when the exchange is over and its place is free. What came of it is not in the log yet.
        """
        delivery = entry.known
        endpoint = self._current().endpoints.get(entry.endpoint)
        is_once = endpoint is not None and (
            endpoint.value.at_most_once or (delivery.created.is_call and endpoint.value.method not in IDEMPOTENT)
        )
        started = AttemptStarted(
            at=rfc3339(self._clock.now()),
            delivery=entry.id,
            number=delivery.sent + 1,
            reason=delivery.reason,
            is_once=is_once,
        )
        try:
            if is_once:
                await self._ledger.write([started])
            else:
                # Should a crash forget it, the attempt is made again, and the receiver knows it by its id.
                self._ledger.note([started])
            delivery = entry.state = apply(delivery, started)
            attempted = await self._try(delivery, endpoint)
            self._learn(entry.endpoint, attempted)
        finally:
            released()
        await self._conclude(entry, started, attempted)

    async def end(self, entry: Entry, over: Over) -> None:
        """Write the end that a crash cut off behind the last attempt."""
        end = _end(entry.known, over, rfc3339(self._clock.now()))
        await self._ledger.write([end])
        self._finish(entry, end)

    async def _try(self, delivery: Delivery, endpoint: CompiledEndpoint | None) -> Attempted:
        created = delivery.created
        try:
            body = await self._ledger.body(created.body)
        except KeyError:
            return not_made(b"", f"the body is not beside the log any more: blob {created.body.content}")
        if endpoint is None:
            return not_made(body, f"no endpoint is called {created.endpoint}: it was removed from the definitions")
        if created.is_call and not endpoint.value.enabled:
            return not_made(body, f"the endpoint {endpoint.name} is disabled")
        try:
            aimed = endpoint if created.pinned is None else await self._aimed(created.pinned, endpoint)
            return await self._send(created, body, aimed)
        except RequestProblem as problem:
            return redacted(not_made(body, str(problem)), endpoint.hidden)

    async def _send(self, created: DeliveryCreated, body: bytes, endpoint: CompiledEndpoint) -> Attempted:
        """Make the request, with a token where the endpoint needs one.

        Raises:
            RequestProblem: It cannot be made.
        """
        token: str | None = None
        if endpoint.grant is not None:
            had = await self._tokens.of(endpoint, endpoint.grant)
            if isinstance(had, Attempted):
                return redacted(had, endpoint.hidden)
            token = had
        authorization = None if token is None else f"Bearer {token}"
        prepared = prepare(endpoint, _payload(created, body), int(self._clock.now()), authorization)
        attempted = await self._sender.attempt(prepared, endpoint.value.timeout)
        if attempted.exchange.status == UNAUTHORIZED and endpoint.grant is not None:
            self._tokens.forget(endpoint.grant)
        return redacted(attempted, endpoint.hidden if token is None else (*endpoint.hidden, token))

    async def _aimed(self, pinned: str, endpoint: CompiledEndpoint) -> CompiledEndpoint:
        """Return an endpoint as it was when the delivery was created."""
        try:
            kept = await self._ledger.blob(pinned)
        except KeyError as error:
            raise RequestProblem(f"the pinned definition is not beside the log any more: blob {pinned}") from error
        return unpin(kept, endpoint, self._current().secrets)

    async def _pinned(self, name: str) -> str | None:
        endpoint = self._current().endpoints.get(name)
        if endpoint is None or endpoint.value.retry_target == "current":
            return None
        return await self._ledger.keep_blob(pin(endpoint))

    def _learn(self, endpoint: str, attempted: Attempted) -> None:
        exchange = attempted.exchange
        asked = patience(exchange.status, exchange.response_headers, self._clock.now())
        self._gates.learned(endpoint, outcome=attempted.outcome, status=exchange.status, patience=asked)

    async def _conclude(self, entry: Entry, started: AttemptStarted, attempted: Attempted) -> None:
        delivery = entry.known
        now = self._clock.now()
        at = rfc3339(now)
        snapshot = self._current()
        endpoint = snapshot.endpoints.get(entry.endpoint)
        following = self._following(delivery, started, attempted, endpoint)
        ended = AttemptEnded(
            at=at,
            delivery=entry.id,
            endpoint=entry.endpoint,
            number=started.number,
            reason=started.reason,
            outcome=attempted.outcome,
            exchange=attempted.exchange,
            revision=snapshot.revision.id,
            origin=endpoint.origin if endpoint else None,
            error=attempted.error,
            retry_at=rfc3339(now + following.wait) if isinstance(following, TryAgain) else None,
            retry_why=following.why if isinstance(following, TryAgain) else None,
        )
        after = apply(delivery, ended)
        if isinstance(following, TryAgain):
            await self._ledger.write([ended])
            self._observe(ended)
            entry.state = after
            return
        end = _end(after, following, at)
        await self._ledger.write([ended, end])
        self._observe(ended)
        entry.state = after
        self._finish(entry, end)

    def _following(
        self, delivery: Delivery, started: AttemptStarted, attempted: Attempted, endpoint: CompiledEndpoint | None
    ) -> Over | TryAgain:
        now = self._clock.now()
        following = next_step(
            outcome=attempted.outcome,
            status=attempted.exchange.status,
            rule=_rule(delivery, endpoint),
            attempt=delivery.failed + 1,
            jitter=self._jitter(),
            patience=patience(attempted.exchange.status, attempted.exchange.response_headers, now),
            may_have_arrived=started.is_once and attempted.is_sent,
        )
        is_decided = isinstance(following, Over) and following.status != "exhausted"
        if started.reason == "manual" and not is_decided and not delivery.begins_again:
            # Somebody asked for this attempt: the next one by the schedule is due when it was.
            return TryAgain(wait=max(delivery.due - now, 0.0))
        return following

    def _finish(self, entry: Entry, end: DeliveryEnded) -> None:
        entry.state = apply(entry.known, end)
        if end.status == "delivered" and not self._observer.is_verbose:
            self._observer.metrics.delivery(end.endpoint, end.status)  # no line would be written
            return
        self._observer.emit(
            happenings.DeliveryEnded(
                delivery=end.delivery,
                endpoint=end.endpoint,
                status=end.status,
                attempts=end.attempts,
                error=end.error,
            )
        )

    def _observe(self, ended: AttemptEnded) -> None:
        seconds = ended.exchange.total_ms / 1000
        if ended.outcome == "ok" and not self._observer.is_verbose:
            self._observer.metrics.attempt(ended.endpoint, ended.outcome, seconds)  # no line would be written
            return
        self._observer.emit(
            happenings.AttemptEnded(
                delivery=ended.delivery,
                endpoint=ended.endpoint,
                number=ended.number,
                outcome=ended.outcome,
                seconds=seconds,
                status=ended.exchange.status,
                error=ended.error,
                retry_at=ended.retry_at,
            )
        )


def _has_files(effect: Deliver) -> bool:
    """Tell whether `delivery.format` found that the endpoint gets a form with the files of the event."""
    return bool(effect.files) and effect.media == MEDIA


def _payload(created: DeliveryCreated, body: bytes) -> Payload:
    return Payload(
        delivery=created.delivery,
        headers=created.headers,
        query=created.query,
        media=created.body.media,
        body=body,
    )


def _rule(delivery: Delivery, endpoint: CompiledEndpoint | None) -> RetryRule:
    """Return the schedule: the step's own, else the endpoint's as it is now, else the default."""
    try:
        own = rule_from_json(delivery.created.retry)
    except ValueError:
        own = None  # a later format of the log: the endpoint's is still better than none
    return own or (endpoint.value.retry if endpoint else "standard")


def _end(delivery: Delivery, over: Over, at: str) -> DeliveryEnded:
    return DeliveryEnded(
        at=at,
        delivery=delivery.created.delivery,
        endpoint=delivery.created.endpoint,
        status=over.status,
        attempts=delivery.sent,
        error=None if over.status == "delivered" else delivery.error,
    )
