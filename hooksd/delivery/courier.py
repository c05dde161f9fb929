"""One delivery on its way: created, attempted and ended, with every step in the log before the next.

`delivery.dispatcher` says which delivery is next; nothing here knows of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.attempt import Attempted, Sender, not_made, redacted
from hooksd.delivery.entry import Entry
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.policy import Over, TryAgain, next_step, retry_after, rule_from_json, rule_to_json
from hooksd.delivery.request import Payload, RequestProblem, prepare
from hooksd.delivery.state import Delivery, apply, begin
from hooksd.model.effect import Deliver
from hooksd.model.record import AttemptEnded, AttemptStarted, DeliveryCreated, DeliveryEnded
from hooksd.model.retry import RetryRule
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer


class Courier:
    """Carries deliveries, one step at a time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        current: Callable[[], Snapshot],
        sender: Sender,
        jitter: Callable[[], float],
        observer: Observer,
    ) -> None:
        """Take the world as arguments; they mean what they mean to `Dispatcher`."""
        self._ledger = ledger
        self._clock = clock
        self._current = current
        self._sender = sender
        self._jitter = jitter
        self._observer = observer

    async def create(self, effect: Deliver, entries: Sequence[Entry]) -> None:
        """Make the deliveries of one step durable."""
        body = await self._ledger.keep(effect.media, effect.body)
        at = rfc3339(self._clock.now())
        records = [
            DeliveryCreated(
                at=at,
                delivery=entry.id,
                endpoint=entry.endpoint,
                event=effect.event,
                run=effect.run,
                step=effect.step,
                revision=self._current().revision.id,
                headers=dict(effect.headers),
                query=dict(effect.query),
                body=body,
                retry=rule_to_json(effect.retry),
            )
            for entry in entries
        ]
        await self._ledger.write(records)
        for entry, record in zip(entries, records, strict=True):
            entry.state = begin(record)

    async def attempt(self, entry: Entry) -> None:
        """Make one attempt, and end the delivery if it was the last."""
        delivery = entry.known
        started = AttemptStarted(
            at=rfc3339(self._clock.now()), delivery=entry.id, number=delivery.sent + 1, reason=delivery.reason
        )
        await self._ledger.write([started])
        delivery = entry.state = apply(delivery, started)
        endpoint = self._current().endpoints.get(entry.endpoint)
        attempted = await self._try(delivery, endpoint)
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
        payload = Payload(
            delivery=created.delivery,
            headers=created.headers,
            query=created.query,
            media=created.body.media,
            body=body,
        )
        try:
            prepared = prepare(endpoint, payload, int(self._clock.now()))
        except RequestProblem as problem:
            return redacted(not_made(body, str(problem)), endpoint.hidden)
        return redacted(await self._sender.attempt(prepared, endpoint.value.timeout), endpoint.hidden)

    async def _conclude(self, entry: Entry, started: AttemptStarted, attempted: Attempted) -> None:
        delivery = entry.known
        now = self._clock.now()
        snapshot = self._current()
        endpoint = snapshot.endpoints.get(entry.endpoint)
        following = next_step(
            outcome=attempted.outcome,
            status=attempted.exchange.status,
            rule=_rule(delivery, endpoint),
            attempt=delivery.failed + 1,
            jitter=self._jitter(),
            retry_after=retry_after(attempted.exchange.response_headers, now),
        )
        ended = AttemptEnded(
            at=rfc3339(now),
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
        )
        after = apply(delivery, ended)
        if isinstance(following, TryAgain):
            await self._ledger.write([ended])
            self._observe(ended)
            entry.state = after
            return
        end = _end(after, following, rfc3339(now))
        await self._ledger.write([ended, end])
        self._observe(ended)
        entry.state = after
        self._finish(entry, end)

    def _finish(self, entry: Entry, end: DeliveryEnded) -> None:
        entry.state = apply(entry.known, end)
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
        self._observer.emit(
            happenings.AttemptEnded(
                delivery=ended.delivery,
                endpoint=ended.endpoint,
                number=ended.number,
                outcome=ended.outcome,
                seconds=ended.exchange.total_ms / 1000,
                status=ended.exchange.status,
                error=ended.error,
                retry_at=ended.retry_at,
            )
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
