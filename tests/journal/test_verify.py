from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hooksd.journal import codec
from hooksd.journal.file import FileJournal
from hooksd.journal.scan import START, Link
from hooksd.journal.verify import Problem, Verification
from hooksd.model.record import Record
from tests.journal import samples
from tests.journal.bad_disk import flip

FIRST, SECOND = "log-0000000001.jsonl", "log-0000000002.jsonl"


def nothing() -> None:
    """Waits for nobody."""


def problems(directory: Path, wait: Callable[[], None] = nothing) -> list[Problem]:
    return list(Verification(directory, wait).problems())


def kinds(directory: Path) -> list[tuple[str, int, str]]:
    return [(problem.segment, problem.line, problem.kind) for problem in problems(directory)]


async def life(directory: Path, *records: Record) -> None:
    journal = FileJournal(directory)
    journal.open()
    list(journal.read())
    for record in records:
        await journal.append([record])
    await journal.close()


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """A log of two lives with two records each."""
    await life(tmp_path, samples.refused(1), samples.refused(2))
    await life(tmp_path, samples.refused(3), samples.refused(4))
    return tmp_path


async def test_a_whole_log_has_no_problem_and_is_counted(directory: Path) -> None:
    verification = Verification(directory, nothing)

    assert list(verification.problems()) == []
    assert (verification.segments, verification.records) == (2, 6)


async def test_a_directory_that_is_not_there_is_an_empty_log(tmp_path: Path) -> None:
    assert problems(tmp_path / "none") == []


async def test_a_flipped_bit_is_named_with_its_line_and_byte(directory: Path) -> None:
    offset = (directory / SECOND).read_bytes().index(b'"count":3')
    flip(directory / SECOND, offset)
    start = (directory / SECOND).read_bytes().rindex(b"\n", 0, offset) + 1

    (problem,) = problems(directory)

    assert (problem.segment, problem.line, problem.offset, problem.kind) == (SECOND, 2, start, "flipped")


async def test_damage_in_a_closed_file_is_told_twice_where_it_is_and_by_the_file_behind(directory: Path) -> None:
    flip(directory / FIRST, (directory / FIRST).read_bytes().index(b'"count":1'), bits=(0, 1, 2))

    assert kinds(directory) == [(FIRST, 2, "damaged"), (SECOND, 1, "changed")]


async def test_a_line_that_is_gone_is_missing(directory: Path) -> None:
    lines = (directory / SECOND).read_bytes().splitlines(keepends=True)
    (directory / SECOND).write_bytes(lines[0] + lines[2])

    assert kinds(directory) == [(SECOND, 2, "missing")]


async def test_a_file_that_is_gone_is_missing(directory: Path) -> None:
    await life(directory, samples.refused(5))
    (directory / SECOND).unlink()

    assert ("log-0000000003.jsonl", 1, "missing") in kinds(directory)


async def test_the_oldest_files_may_be_gone(directory: Path) -> None:
    (directory / FIRST).unlink()

    assert problems(directory) == []


async def test_a_torn_end_is_told_when_nobody_finishes_it(directory: Path) -> None:
    whole = (directory / SECOND).read_bytes()
    (directory / SECOND).write_bytes(whole[:-9])

    assert kinds(directory) == [(SECOND, 3, "torn")]

    def finish() -> None:
        (directory / SECOND).write_bytes(whole)

    assert problems(directory, finish) == []


async def test_a_whole_line_that_is_no_record_is_unreadable_and_an_unknown_type_is_not(tmp_path: Path) -> None:
    link = START
    for text in (b'{"type":"run.paused"}', b'{"type":"run.started"}'):
        line, crc = codec.seal(text, link.seq, link.seq, link.prev)
        link = Link(link.seq + 1, crc)
        with (tmp_path / FIRST).open("ab") as file:
            file.write(line)

    assert kinds(tmp_path) == [(FIRST, 2, "unreadable")]


async def test_a_body_that_is_missing_or_damaged_is_told_by_each_record_that_names_it(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.open()
    list(journal.read())
    digests = [await journal.put_blob(data) for data in (b"whole", b"damaged", b"gone")]
    for digest in digests:
        body = samples.stored_blob(digest, 5)
        await journal.append([samples.accepted(runs=(), body=body), samples.delivery_created(body=body)])
    await journal.append([samples.accepted(definition=digests[0]), samples.step_ended(output_blob=digests[2])])
    await journal.append([samples.accepted(runs=(), body=samples.stored_blob("../../etc/passwd", 5))])
    await journal.close()
    paths = [next(tmp_path.glob(f"blobs/*/{digest.removeprefix('sha256:')}")) for digest in digests]
    flip(paths[1], 0)
    paths[2].unlink()

    assert kinds(tmp_path) == [(FIRST, line, "body") for line in (4, 5, 6, 7, 9, 10)]


async def test_a_file_that_retention_removes_meanwhile_is_no_problem(directory: Path) -> None:
    verification = Verification(directory, (directory / SECOND).unlink)
    (directory / SECOND).write_bytes((directory / SECOND).read_bytes()[:-9])

    assert list(verification.problems()) == []
    assert verification.segments == 1
