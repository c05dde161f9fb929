"""One delivery on its way: attempted and ended, and what is written of that.

`delivery.dispatcher` says which delivery is next; nothing here knows of the others.
"""

from __future__ import annotations

from collections.abc import Callable

from hooksd.clock import Clock, rfc3339
from hooksd.config.snapshot import CompiledEndpoint, Snapshot
from hooksd.delivery.attempt import Attempted, Sender, not_made, redacted
from hooksd.delivery.entry import Conclusion, Entry
from hooksd.delivery.gates import Gates
from hooksd.delivery.ledger import Ledger
from hooksd.delivery.pinned import unpin
from hooksd.delivery.policy import DELIVERED, Over, TryAgain, next_step, patience, rule_from_json
from hooksd.delivery.request import Payload, RequestProblem, prepare
from hooksd.delivery.state import Delivery, is_once
from hooksd.delivery.tokens import Tokens
from hooksd.model.identity import Grant
from hooksd.model.making import attempt_ended, attempt_started, delivery_ended
from hooksd.model.record import AttemptEnded, AttemptReason, AttemptStarted, DeliveryCreated, DeliveryEnded
from hooksd.model.retry import RetryRule
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

UNAUTHORIZED = 401

_FIRST: tuple[int, AttemptReason] = (1, "first")
"""What `_next` returns for a delivery of which nothing is known but that it was created."""


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

    def begin(self, entry: Entry) -> AttemptStarted:
        """Begin an attempt: its record is handed in, unless `attempt` must wait until the log has it."""
        number, reason = _FIRST if entry.is_fresh else _next(entry.known)
        started = attempt_started(
            at=rfc3339(self._clock.now()),
            delivery=entry.id,
            number=number,
            reason=reason,
            is_once=is_once(entry.created, self._current().endpoints.get(entry.endpoint)),
        )
        entry.unwritten.append(started)
        if entry.is_durable and not started.is_once:
            # Should a crash forget it, the attempt is made again, and the receiver knows it by its id.
            self._ledger.take_from(entry.unwritten)
        return started

    async def attempt(self, entry: Entry, started: AttemptStarted) -> Attempted:
        """Make an attempt that was begun, and return what came of it: nothing of that is in the log yet.

        What the log must know before anything leaves is waited for: a delivery that it does not promise yet, and an
        attempt that must not be made again.

        Raises:
            JournalBroken: The log is at its end; the process must stop.
        """
        if started.is_once or not entry.is_durable:
            await self._ledger.write(entry.unwritten)
            entry.unwritten.clear()
            entry.is_durable = True
        created = entry.created
        endpoint = self._current().endpoints.get(entry.endpoint)
        body = self._ledger.body_at_hand(created.body)
        if body is None:
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
            if aimed.grant is not None:
                return await self._with_token(created, body, aimed, aimed.grant)
            prepared = prepare(aimed, _payload(created, body), int(self._clock.now()))
        except RequestProblem as problem:
            return redacted(not_made(body, str(problem)), endpoint.hidden)
        return redacted(await self._sender.attempt(prepared, aimed.value.timeout), aimed.hidden)

    def conclude(self, entry: Entry, started: AttemptStarted, attempted: Attempted) -> Conclusion:
        """Return what an attempt means, and let the gates know. Its records are `unwritten`, to be written together."""
        now = self._clock.now()
        outcome, exchange = attempted.outcome, attempted.exchange
        asked = patience(exchange.status, exchange.response_headers, now)
        self._gates.learned(entry.endpoint, now, outcome=outcome, status=exchange.status, patience=asked)
        snapshot = self._current()
        endpoint = snapshot.endpoints.get(entry.endpoint)
        following = DELIVERED if outcome == "ok" else self._following(entry.known, started, attempted, endpoint, asked)
        retry_at = retry_why = None
        if isinstance(following, TryAgain):
            retry_at, retry_why = rfc3339(now + following.wait), following.why
        at = rfc3339(now)
        ended = attempt_ended(
            at=at,
            delivery=entry.id,
            endpoint=entry.endpoint,
            number=started.number,
            reason=started.reason,
            outcome=outcome,
            exchange=exchange,
            revision=snapshot.revision.id,
            origin=None if endpoint is None else endpoint.origin,
            error=attempted.error,
            retry_at=retry_at,
            retry_why=retry_why,
        )
        if isinstance(following, TryAgain):
            entry.unwritten.append(ended)
            return Conclusion(started, ended, None)
        end = _end(entry, following, at, attempts=started.number, error=attempted.error)
        entry.unwritten += (ended, end)
        return Conclusion(started, ended, end)

    def end(self, entry: Entry, over: Over) -> Conclusion:
        """Return the end that a crash cut off behind the last attempt. Its record is `unwritten`."""
        delivery = entry.known
        end = _end(entry, over, rfc3339(self._clock.now()), attempts=delivery.sent, error=delivery.error)
        entry.unwritten.append(end)
        return Conclusion(None, None, end)

    async def _with_token(
        self, created: DeliveryCreated, body: bytes, endpoint: CompiledEndpoint, grant: Grant
    ) -> Attempted:
        """Make the request with a token.

        Raises:
            RequestProblem: It cannot be made.
        """
        token = await self._tokens.of(endpoint, grant)
        if isinstance(token, Attempted):
            return redacted(token, endpoint.hidden)
        prepared = prepare(endpoint, _payload(created, body), int(self._clock.now()), f"Bearer {token}")
        attempted = await self._sender.attempt(prepared, endpoint.value.timeout)
        if attempted.exchange.status == UNAUTHORIZED:
            self._tokens.forget(grant)
        return redacted(attempted, (*endpoint.hidden, token))

    async def _aimed(self, pinned: str, endpoint: CompiledEndpoint) -> CompiledEndpoint:
        """Return an endpoint as it was when the delivery was created."""
        try:
            kept = await self._ledger.blob(pinned)
        except KeyError as error:
            raise RequestProblem(f"the pinned definition is not beside the log any more: blob {pinned}") from error
        return unpin(kept, endpoint, self._current().secrets)

    def _following(
        self,
        delivery: Delivery,
        started: AttemptStarted,
        attempted: Attempted,
        endpoint: CompiledEndpoint | None,
        asked: float | None,
    ) -> Over | TryAgain:
        following = next_step(
            outcome=attempted.outcome,
            status=attempted.exchange.status,
            rule=_rule(delivery, endpoint),
            attempt=delivery.failed + 1,
            jitter=self._jitter(),
            patience=asked,
            may_have_arrived=started.is_once and attempted.is_sent,
        )
        is_decided = isinstance(following, Over) and following.status != "exhausted"
        if started.reason == "manual" and not is_decided and not delivery.begins_again:
            # Somebody asked for this attempt: the next one by the schedule is due when it was.
            return TryAgain(wait=max(delivery.due - self._clock.now(), 0.0))
        return following

    def concluded(self, entry: Entry, conclusion: Conclusion) -> None:
        """Take note that the log has it, and let operators know."""
        entry.unwritten.clear()
        entry.learn(conclusion)
        _, ended, end = conclusion
        if ended is not None and end is not None and end.status == "delivered" and not self._observer.is_verbose:
            # No line would be written of either.
            self._observer.metrics.delivered(entry.endpoint, ended.exchange.total_ms / 1000)
            return
        if ended is not None:
            self._observe_attempt(ended)
        if end is not None:
            self._observe_end(end)

    def _observe_end(self, end: DeliveryEnded) -> None:
        self._observer.emit(
            happenings.DeliveryEnded(
                delivery=end.delivery,
                endpoint=end.endpoint,
                status=end.status,
                attempts=end.attempts,
                error=end.error,
            )
        )

    def _observe_attempt(self, ended: AttemptEnded) -> None:
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


def _next(delivery: Delivery) -> tuple[int, AttemptReason]:
    """Return the number of the next attempt, and why it is made."""
    return delivery.sent + 1, delivery.reason


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


def _end(entry: Entry, over: Over, at: str, *, attempts: int, error: str | None) -> DeliveryEnded:
    return delivery_ended(
        at=at,
        delivery=entry.id,
        endpoint=entry.endpoint,
        status=over.status,
        attempts=attempts,
        error=None if over.status == "delivered" else error,
    )
