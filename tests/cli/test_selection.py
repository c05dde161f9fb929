"""Deliveries chosen from the log by their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.cli.selection import STATUSES, Selection, ended, statuses_of
from hooksd.instant import rfc3339
from hooksd.journal.reader import LogReader
from hooksd.model.record import DeliveryCreated, DeliveryEnded, DeliveryStatus, Record
from hooksd.testing import NOON
from tests.cli.conftest import STORY, write_log

CREATED = next(record for record in STORY if isinstance(record, DeliveryCreated))


def name(number: int) -> str:
    return f"dlv_01a20177-4243-7000-8000-{number:012d}"


def end(number: int, status: DeliveryStatus = "exhausted", at: float = NOON, endpoint: str = "chat") -> DeliveryEnded:
    return DeliveryEnded(at=rfc3339(at), delivery=name(number), endpoint=endpoint, status=status, attempts=3)


def again(number: int, at: float) -> DeliveryCreated:
    return replace(CREATED, at=rfc3339(at), delivery=name(number), attempts=3, again=name(number))


def chosen(
    directory: Path,
    records: Sequence[Record],
    *,
    since: float | None = None,
    until: float | None = None,
    status: str = "failed",
    endpoint: str | None = None,
) -> list[tuple[str, bool]]:
    write_log(directory, records)
    selection = Selection(since=since, until=until, statuses=statuses_of(status), endpoint=endpoint)
    return [(one.delivery, one.is_again) for one in ended(LogReader(directory), selection)]


def test_those_that_failed_come_newest_first(tmp_path: Path) -> None:
    records: list[Record] = [end(1), end(2, "delivered"), end(3, "gone"), end(4, "indeterminate")]

    assert chosen(tmp_path, records) == [(name(4), False), (name(3), False), (name(1), False)]


@pytest.mark.parametrize("status", STATUSES)
def test_each_end_can_be_chosen(tmp_path: Path, status: DeliveryStatus) -> None:
    records = [end(place, one) for place, one in enumerate(STATUSES)]  # type: ignore[arg-type] # they are the literals

    assert chosen(tmp_path, records, status=status) == [(name(STATUSES.index(status)), False)]


def test_time_and_endpoint_narrow_it(tmp_path: Path) -> None:
    records = [end(1, at=NOON), end(2, at=NOON + 10), end(3, at=NOON + 20), end(4, at=NOON + 10, endpoint="other")]

    assert chosen(tmp_path, records, since=NOON + 10, until=NOON + 20, endpoint="chat") == [(name(2), False)]


def test_one_that_was_asked_for_again_since_then_is_marked(tmp_path: Path) -> None:
    records: list[Record] = [end(1), again(1, NOON + 1), end(1, at=NOON + 2), end(2, at=NOON + 3)]

    assert chosen(tmp_path / "a", records) == [(name(2), False), (name(1), True)]
    assert chosen(tmp_path / "b", records, since=NOON + 1.5) == [(name(2), False), (name(1), False)]


def test_one_that_is_under_way_again_is_left_out(tmp_path: Path) -> None:
    assert chosen(tmp_path, [end(1), again(1, NOON + 1)]) == []


def test_one_whose_last_end_is_another_is_left_out(tmp_path: Path) -> None:
    assert chosen(tmp_path, [end(1), again(1, NOON + 1), end(1, "delivered", at=NOON + 2)]) == []
