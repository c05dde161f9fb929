from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
import subprocess
import sys
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hooksd.journal import writer
from hooksd.journal.file import SEGMENT_SIZE, FileJournal
from hooksd.journal.tail import FLOOR
from hooksd.model.body import MAX_DEPTH
from hooksd.model.outgoing import DeliveryPlan, NotSent
from hooksd.model.record import (
    RECORD_TYPES,
    DaemonStarted,
    Exchange,
    NotStarted,
    Record,
    RequestRefused,
    RunPlan,
    StepEnded,
)
from hooksd.model.stored import BLOB_THRESHOLD, StoredBody, StoredEvent
from tests.docs.console import Example, examples, page
from tests.journal import samples
from tests.journal.bad_disk import flip

TEXT = page("log.md")
RUN = "run_019abc00-0000-7000-8000-000000000000"
NESTED: dict[str, type[Any]] = {
    "event": StoredEvent,
    "body": StoredBody,
    "runs": RunPlan,
    "not_started": NotStarted,
    "deliveries": DeliveryPlan,
    "not_sent": NotSent,
    "exchange": Exchange,
}
STORY: list[Record] = [
    DaemonStarted(at=samples.AT, version="0.1.0", pid=1, unfinished_runs=0, unfinished_deliveries=0),
    samples.accepted("evt_1", (RUN,)),
    samples.run_started(RUN),
    samples.step_started(RUN),
    StepEnded(at=samples.AT, run=RUN, step="build", verb="run", status="failed", attempts=1, ms=4.0, code=2),
    samples.delivery_created("dlv_1", RUN),
    samples.attempt_started(),
    samples.attempt_ended(),
    samples.delivery_ended(),
    dataclasses.replace(samples.run_ended(RUN), status="failed", step="build", error="exit status 2"),
    samples.accepted(
        "evt_2",
        ("run_2",),
        not_started=(
            NotStarted(
                workflow="announce",
                reason="condition_false",
                detail="body.ref == 'refs/heads/main' is false",
                condition="body.ref == 'refs/heads/main'",
                values={"body.ref": "refs/heads/topic"},
            ),
        ),
    ),
    samples.run_started("run_2"),
    samples.run_ended("run_2", "evt_2"),
    RequestRefused(at=samples.AT, webhook="github", reason="bad_signature", status=401, peer="192.0.2.7", count=3),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with a log in the place where it is by default, written by two processes."""
    for records in (STORY[:5], STORY[5:]):
        asyncio.run(written(tmp_path / ".hooksd" / "log", records))
    return tmp_path


async def written(directory: Path, records: Sequence[Record]) -> None:
    journal = FileJournal(directory)
    journal.open()
    await journal.append(records)
    await journal.close()


def section(kind: str) -> str:
    found = re.search(rf"^### `{re.escape(kind)}`\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/log.md has no section about {kind}"
    return found[1]


@pytest.mark.skipif(shutil.which("jq") is None, reason="the examples are told with jq")
@pytest.mark.parametrize("example", examples(TEXT), ids=lambda example: example.command[:40])
def test_every_example_does_what_the_page_shows(example: Example, checkout: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-euc", example.command], cwd=checkout, capture_output=True, text=True, timeout=20, check=False
    )

    assert example.fits(done.stdout + done.stderr), done.stdout + done.stderr


def test_the_program_that_verifies_a_log_finds_a_whole_one_whole_and_each_damage(checkout: Path) -> None:
    program = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert program
    log = checkout / ".hooksd" / "log"
    first = log / "log-0000000001.jsonl"
    whole = first.read_bytes()

    def verify() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", program[1], str(log)], capture_output=True, text=True, timeout=20, check=False
        )
        return done.returncode, done.stderr

    assert verify() == (0, "")
    flip(first, whole.index(b"0.1.0"))
    assert verify() == (1, f"{first}:2 is damaged\n")
    first.write_bytes(b"".join(line for line in whole.splitlines(keepends=True) if b"daemon.started" not in line))
    assert verify() == (1, f"{first}:2: records are missing before this line\n")


@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_every_field_of_every_record_is_described(kind: str) -> None:
    fields = {field.name for field in dataclasses.fields(RECORD_TYPES[kind])} - {"type", "at"}
    table = section(kind).partition("| field of")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == fields


@pytest.mark.parametrize("name", NESTED)
def test_every_field_of_what_records_are_made_of_is_described(name: str) -> None:
    _, _, rest = TEXT.partition(f"| field of `{name}` |")
    table, _, _ = rest.partition("\n\n")

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {
        field.name for field in dataclasses.fields(NESTED[name])
    }


@pytest.mark.parametrize("kind", [*RECORD_TYPES.values(), *NESTED.values()], ids=lambda kind: kind.__name__)
def test_every_word_of_a_closed_set_is_named(kind: type[Any]) -> None:
    for hint in typing.get_type_hints(kind).values():
        for word in typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ():
            assert f"`{word}`" in TEXT


def test_the_limits_are_those_of_the_program() -> None:
    limits = writer.Limits()
    assert f"{limits.records:,} records or {limits.size >> 20} MiB wait" in TEXT
    assert f"less than {FLOOR >> 20} MiB are free" in TEXT
    assert f"after {SEGMENT_SIZE >> 20} MiB" in TEXT
    assert f"bodies over {BLOB_THRESHOLD >> 10} KiB" in TEXT
    assert f"deeper than {MAX_DEPTH} levels" in TEXT


def test_every_type_of_record_has_its_section_and_no_other_has_one() -> None:
    assert set(re.findall(r"^### `(.+)`$", TEXT, re.MULTILINE)) == set(RECORD_TYPES)
