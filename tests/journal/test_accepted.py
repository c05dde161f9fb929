from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooksd.clock import rfc3339
from hooksd.journal import codec
from hooksd.journal.accepted import Accepted, accepted
from hooksd.journal.segment import segment_name
from hooksd.model.base import Json
from hooksd.model.ids import IdFactory
from hooksd.model.record import EventAccepted, Origin, Record, RunEnded, RunPlan, SegmentStarted
from hooksd.model.stored import StoredBody, StoredEvent
from hooksd.testing import NOON

IDS = IdFactory(lambda: NOON, lambda: 1)
ORIGIN = Origin(file="hooks.toml", line=3)
SETTLED = frozenset({"succeeded", "superseded"})


def event(
    delivery_id: str | None = "d-1",
    *,
    webhook: str | None = "github",
    runs: int = 1,
    body: Json = None,
    at: float = NOON,
    subject: str | None = None,
) -> EventAccepted:
    stored = StoredEvent(
        id=IDS.event(),
        type="github.push",
        source="webhook/github",
        subject=subject,
        time=rfc3339(at),
        trust="signed",
        hop=0,
        cause=None,
        webhook=webhook,
        delivery_id=delivery_id,
        headers={"x-a": '"delivery_id":"no"'},
        query={},
        body=StoredBody(media="application/json", size=2, encoding="json", content=body),
    )
    plans = tuple(
        RunPlan(id=IDS.run(), workflow="deploy", definition="sha256:0", origin=ORIGIN, concurrency=None)
        for _ in range(runs)
    )
    return EventAccepted(at=rfc3339(at), revision="r", event=stored, origin=ORIGIN, runs=plans)


def ended(record: EventAccepted, status: str, run: int = 0) -> RunEnded:
    return RunEnded(
        at=rfc3339(NOON),
        run=record.runs[run].id,
        workflow="deploy",
        event=record.event.id,
        status=status,  # type: ignore[arg-type] # the tests name them
        ms=1.0,
        revision="r",
        origin=ORIGIN,
    )


def write(directory: Path, *segments: tuple[Record, ...], at: float = NOON) -> None:
    seq, crc = 0, 0
    for number, records in enumerate(segments, 1):
        lines = []
        head = SegmentStarted(at=rfc3339(at), number=number, previous_sha256=None)
        for record in (head, *records):
            line, crc = codec.encode(record, seq, seq, crc)
            lines.append(line)
            seq += 1
        (directory / segment_name(number)).write_bytes(b"".join(lines))


def read(directory: Path, *, since: float = 0.0, unfinished: frozenset[str] = frozenset()) -> list[Accepted]:
    return list(accepted(directory, since=since, unfinished=unfinished, settled=SETTLED))


def test_events_with_ids_are_found_newest_first(tmp_path: Path) -> None:
    first, second, third = event("d-1"), event("d-2"), event("d-3", at=NOON + 5)
    write(tmp_path, (first, second), (third,))

    found = read(tmp_path)

    assert [item.event for item in found] == [third.event.id, second.event.id, first.event.id]
    assert found[0] == Accepted(
        event=third.event.id, webhook="github", source="webhook/github", delivery_id="d-3", at=NOON + 5
    )


def test_events_without_an_id_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, (event(None), event(None, webhook=None)))

    assert read(tmp_path) == []


def test_what_was_published_is_known_by_its_source(tmp_path: Path) -> None:
    published = event("o-1", webhook=None)
    stored = replace(published.event, source='/shop?"', fingerprint="00ff")
    write(tmp_path, (replace(published, event=stored),))

    (found,) = read(tmp_path)

    assert (found.webhook, found.source, found.delivery_id, found.fingerprint) == (None, '/shop?"', "o-1", "00ff")


def test_of_events_whose_runs_came_to_nothing_both_numbers_are_told(tmp_path: Path) -> None:
    failed, mixed, done = event("d-1", runs=2), event("d-2", runs=2), event("d-3")
    write(
        tmp_path,
        (failed, mixed, done),
        (ended(failed, "failed"), ended(failed, "timed_out", 1), ended(mixed, "failed"), ended(mixed, "succeeded", 1)),
        (ended(done, "superseded"),),
    )

    found = {item.delivery_id: (item.undone, item.runs) for item in read(tmp_path)}

    assert found == {"d-1": (2, 2), "d-2": (1, 2), "d-3": (0, None)}


def test_of_unfinished_events_the_number_of_runs_is_told(tmp_path: Path) -> None:
    record = event("d-1", runs=3)
    write(tmp_path, (record,))

    assert read(tmp_path, unfinished=frozenset({record.event.id}))[0].runs == 3


def test_a_body_cannot_pretend_to_be_an_event_with_an_id(tmp_path: Path) -> None:
    bait = {"webhook": "github", "delivery_id": "victim", "fingerprint": "00", "type": "run.ended"}
    write(tmp_path, (event(None, body=bait, subject='","webhook":"github","delivery_id":"victim","'),))

    assert read(tmp_path) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1), st.text(min_size=1), st.text())
def test_whatever_the_texts_are_they_are_read_as_they_were_written(
    tmp_path: Path, webhook: str, delivery_id: str, subject: str
) -> None:
    write(tmp_path, (event(delivery_id, webhook=webhook, subject=subject),))

    found = read(tmp_path)

    assert [(item.webhook, item.delivery_id) for item in found] == [(webhook, delivery_id)]


def test_damaged_and_half_written_lines_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, (event("d-1"), event("d-2"), event("d-3")))
    path = tmp_path / segment_name(1)
    data = path.read_bytes().replace(b'"d-2"', b'"d-X"')
    path.write_bytes(data[:-3])

    assert [item.delivery_id for item in read(tmp_path)] == ["d-1"]


def test_old_segments_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, (event("d-1"),), (event("d-2"),), at=NOON)

    assert [item.delivery_id for item in read(tmp_path, since=NOON + 1)] == ["d-2"]


def test_an_empty_log_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / segment_name(1)).touch()

    assert read(tmp_path) == []


def test_a_hundred_megabytes_are_searched_in_a_moment(tmp_path: Path) -> None:
    head = SegmentStarted(at=rfc3339(NOON), number=1, previous_sha256=None)
    first, _ = codec.encode(head, 0, 0, 0)
    plain, _ = codec.encode(event(None, body={"text": "x" * 1000}), 1, 1, 0)
    last, _ = codec.encode(event("d-1"), 2, 2, 0)
    count = 100 * 2**20 // len(plain)
    (tmp_path / segment_name(1)).write_bytes(first + plain * count + last)
    began = time.process_time()

    found = read(tmp_path)

    assert [item.delivery_id for item in found] == ["d-1"]
    assert time.process_time() - began < 5
    assert orjson.loads(plain)["event"]["delivery_id"] is None
