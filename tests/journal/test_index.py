from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.journal import index, lines
from hooksd.journal.disk import SCRATCH
from hooksd.journal.index import Note, note_of, write_notes
from hooksd.journal.reader import LogReader
from hooksd.journal.segment import segment_name

H1, H2 = b'"webhook":"h1"', b'"webhook":"h2"'


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(index, "SMALL", 0)
    (tmp_path / SCRATCH).mkdir()
    return tmp_path


def segment(log: Path, number: int, trees: Iterable[Mapping[str, object]]) -> Path:
    """Write a segment whose records are these."""
    prev = 0
    with (log / segment_name(number)).open("wb") as file:
        for seq, tree in enumerate(trees):
            line, prev = lines.seal(orjson.dumps({**tree, "at": "2026-01-01T00:00:00Z"}), seq, seq, prev)
            file.write(line)
    return log / segment_name(number)


def note(log: Path, *, current: int = 9) -> None:
    write_notes(log, current=current, is_over=lambda: False, rest=0.0)


def test_a_closed_segment_is_noted_with_the_names_in_it(log: Path) -> None:
    segment(log, 1, [{"webhook": "h1"}, {"endpoint": "slack"}, {"runs": [{"workflow": "deploy"}]}, {"name": "x"}])
    note(log)
    found = note_of(log, 1)
    assert found is not None
    assert found.marks == frozenset({H1, b'"endpoint":"slack"', b'"workflow":"deploy"'})
    assert found.may_hold([H2, H1])
    assert not found.may_hold([H2])


def test_of_what_is_not_a_name_a_segment_may_hold_anything(log: Path) -> None:
    segment(log, 1, [{"webhook": "h1"}])
    note(log)
    found = note_of(log, 1)
    assert found is not None
    assert found.may_hold([])
    assert found.may_hold([b"evt_1"])
    assert found.may_hold([b'"peer":"10.0.0.1"'])


def test_the_segment_that_is_being_written_has_no_note(log: Path) -> None:
    segment(log, 1, [{"webhook": "h1"}])
    note(log, current=1)
    assert note_of(log, 1) is None


def test_a_small_segment_has_no_note(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SMALL", 10_000)
    segment(log, 1, [{"webhook": "h1"}])
    note(log)
    assert [path.name for path in log.iterdir() if path.is_file()] == [segment_name(1)]


@pytest.mark.parametrize("change", [b"{}\n", b""])
def test_a_note_that_does_not_fit_its_segment_is_not_believed_and_written_anew(log: Path, change: bytes) -> None:
    path = segment(log, 1, [{"webhook": "h1"}])
    note(log)
    # Longer, and of the same length with another end.
    data = path.read_bytes()
    path.write_bytes(data + change if change else data[:-10] + b"0" * 7 + b'"}\n')
    assert note_of(log, 1) is None
    note(log)
    found = note_of(log, 1)
    assert found is not None
    assert found.marks == frozenset({H1})


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{}\n", b'{"size":1,"_":"x"}\n', lines.seal(b"[]", 0, 0, 0)[0]])
def test_a_damaged_note_is_not_believed_and_written_anew(log: Path, content: bytes) -> None:
    segment(log, 1, [{"webhook": "h1"}])
    (log / (segment_name(1) + index.INDEX)).write_bytes(content)
    assert note_of(log, 1) is None
    note(log)
    assert note_of(log, 1) is not None


def test_a_segment_with_very_many_names_may_hold_any(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST", 5)
    segment(log, 1, [{"webhook": f"h{number}"} for number in range(10)])
    note(log)
    found = note_of(log, 1)
    assert found is not None
    assert found.marks is None
    assert found.may_hold([b'"webhook":"nobody"'])


def test_a_segment_that_was_seen_to_need_no_note_is_not_looked_at_again(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: set[int] = set()
    segment(log, 1, [{"webhook": "h1"}])
    segment(log, 2, [{"webhook": "h1"}])
    write_notes(log, current=2, is_over=lambda: False, done=done, rest=0.0)
    assert done == {1}
    looked: list[int] = []
    monkeypatch.setattr(index, "note_of", lambda _, number: looked.append(number))
    write_notes(log, current=3, is_over=lambda: False, done=done, rest=0.0)
    assert looked == [2]
    assert done == {1, 2}


def test_a_daemon_that_ends_does_not_wait_for_notes(log: Path) -> None:
    segment(log, 1, [{"webhook": "h1"}])
    write_notes(log, current=9, is_over=lambda: True)
    assert note_of(log, 1) is None


def test_a_log_that_is_gone_or_cannot_be_written_is_no_error(log: Path) -> None:
    note(log / "gone")
    segment(log, 1, [{"webhook": "h1"}])
    (log / SCRATCH).rmdir()
    note(log)
    assert note_of(log, 1) is None


@given(
    st.lists(st.lists(st.sampled_from(["h1", "h2", "h3", "ä", 'h"1']), max_size=3), max_size=4),
    st.integers(20, 300),
)
def test_whatever_the_notes_say_a_reader_finds_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, segments: list[list[str]], size: int
) -> None:
    log = tmp_path_factory.mktemp("log")
    (log / SCRATCH).mkdir()
    for number, names in enumerate(segments, start=1):
        filler = {"type": "x", "body": "x" * 100}
        segment(log, number, [one for name in names for one in ({"type": "x", "webhook": name}, filler)])
    wanted = [[H1], [H2, b'"webhook":"h3"'], ['"webhook":"ä"'.encode()], [b'"webhook":"h9"']]
    before = [list(LogReader(log).backward(marks)) for marks in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "SMALL", 0)
        patch.setattr(index, "_SLICE", size)  # names lie across the ends of slices
        note(log)
    assert [note_of(log, number) is not None for number in range(1, len(segments) + 1)] == [True] * len(segments)
    assert [list(LogReader(log).backward(marks)) for marks in wanted] == before


def test_a_segment_that_cannot_hold_what_is_asked_for_is_not_read(log: Path) -> None:
    path = segment(log, 1, [{"type": "x", "webhook": "h1"}])
    note(log)
    # The note is believed as long as size and end fit: this one lies.
    lying = Note(size=path.stat().st_size, end=path.read_bytes()[-12:].hex(), marks=frozenset({H2}))
    index._save(log, 1, lying)
    assert list(LogReader(log).backward([H1])) == []
    assert len(list(LogReader(log).backward([H2, b"x"]))) == 1
