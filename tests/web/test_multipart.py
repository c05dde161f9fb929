from __future__ import annotations

import hashlib
import logging

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooksd.errors import JournalFull
from hooksd.model.base import Json
from hooksd.web.body import Unreadable
from hooksd.web.multipart import FIELDS_SIZE, Form, FormLimits, FormReader, Oversized

LIMITS = FormLimits(file=1000, files=3, fields=4)
TYPE = "multipart/form-data; boundary=XX"


class Shelf:
    """Where files go: a list, and those that were begun and are not at their end."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.begun = 0
        self.discarded = 0
        self.full = False

    def receive(self) -> Shelved:
        self.begun += 1
        return Shelved(self)


class Shelved:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._data = b""
        self.size = 0

    async def write(self, data: bytes) -> None:
        if self._shelf.full:
            raise JournalFull("no room")
        self._data += data
        self.size += len(data)

    async def keep(self) -> str:
        digest = f"sha256:{hashlib.sha256(self._data).hexdigest()}"
        self._shelf.kept[digest] = self._data
        return digest

    def discard(self) -> None:
        self._shelf.discarded += 1


def part(disposition: str, data: bytes, *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--XX\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--XX--\r\n"


async def read(
    data: bytes, shelf: Shelf | None = None, *, piece: int = 7, limits: FormLimits = LIMITS, content_type: str = TYPE
) -> Form:
    shelf = shelf or Shelf()
    reader = FormReader(content_type, limits, shelf.receive)
    try:
        for start in range(0, len(data), piece):
            await reader.feed(data[start : start + piece])
        return await reader.finish()
    finally:
        reader.discard()


async def test_fields_are_texts_and_files_are_blobs() -> None:
    shelf = Shelf()
    data = form(
        part('name="sender"', "Ada Lovelace ä".encode()),
        part('name="doc"; filename="../März.pdf"', b"%PDF\x00\xff", "Content-Type: application/PDF; x=1"),
    )

    found = await read(data, shelf)

    assert found.fields == {"sender": "Ada Lovelace ä"}
    file = found.files["doc"]
    assert (file.field, file.name, file.filename) == ("doc", "Marz.pdf", "../März.pdf")
    assert (file.media, file.size) == ("application/pdf", 6)
    assert shelf.kept[file.digest] == b"%PDF\x00\xff"


async def test_several_files_and_fields_of_one_name_are_all_kept() -> None:
    data = form(
        part('name="doc"; filename="a"', b"1"),
        part('name="doc"; filename="b"', b"2"),
        part('name="tag"', b"x"),
        part('name="tag"', b"y"),
        part('name="tag"', b"z"),
    )

    found = await read(data)

    assert {key: file.filename for key, file in found.files.items()} == {"doc": "a", "doc_2": "b"}
    assert found.fields == {"tag": ["x", "y", "z"]}


async def test_what_httpx_sends_is_read() -> None:
    request = httpx.Request(
        "POST",
        "http://test",
        data={"sender": "ada"},
        files=[("doc", ("a.txt", b"one", "text/plain")), ("doc", ("b.txt", b"two", "text/plain"))],
    )

    found = await read(request.read(), content_type=request.headers["content-type"])

    assert found.fields == {"sender": "ada"}
    assert [file.name for file in found.files.values()] == ["a.txt", "b.txt"]


async def test_an_empty_file_is_a_file_and_an_input_without_a_file_is_none() -> None:
    found = await read(form(part('name="doc"; filename="empty.txt"', b""), part('name="other"; filename=""', b"")))

    assert {key: file.size for key, file in found.files.items()} == {"doc": 0}


async def test_an_empty_form_has_nothing() -> None:
    assert await read(form()) == Form(fields={}, files={})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "last boundary"),
        (b"--XX\r\n", "last boundary"),
        (part('name="a"', b"1"), "last boundary"),
        (b"hello", "no multipart form"),
        (form(b"--XX\r\nX-A: 1\r\n\r\n1\r\n"), "no `Content-Disposition"),
        (form(b"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n"), "no `Content-Disposition"),
        (form(part("filename=a", b"1")), "no `Content-Disposition"),
        (form(part("name=a", b"1", "Content-Disposition: form-data; name=b")), "two `content-disposition`"),
        (form(part("name=a", b"1", "Content-Transfer-Encoding: base64")), "transfer encoding 'base64'"),
        (form(part("name=a", b"\xff")), "field 'a' is not UTF-8 at byte 0"),
        (form(part("name=a", b"1", *[f"X-{number}: 1" for number in range(20)])), "header count"),
        (form(part("name=a", b"1", "X-A: " + "x" * 10_000)), "header size"),
    ],
)
async def test_what_is_no_form_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        await read(data)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=", "", ";;;=;"])
def test_without_a_boundary_nothing_is_read(content_type: str) -> None:
    with pytest.raises(Unreadable, match="boundary"):
        FormReader(content_type, LIMITS, Shelf().receive)


def test_a_boundary_that_is_too_long_is_none() -> None:
    with pytest.raises(Unreadable, match="boundary"):
        FormReader("multipart/form-data; boundary=" + "x" * 5000, LIMITS, Shelf().receive)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (form(*[part(f'name="f{number}"; filename="x"', b"1") for number in range(4)]), "at most 3 files"),
        (form(*[part(f'name="f{number}"', b"1") for number in range(5)]), "at most 4 fields"),
        (form(part('name="f"; filename="x"', b"1" * 1001)), "a file may have at most 1000 bytes"),
        (form(part('name="f"', b"1" * (FIELDS_SIZE + 1))), "fields of the form"),
    ],
)
async def test_more_than_it_may_have_is_refused_with_the_limit(data: bytes, message: str) -> None:
    with pytest.raises(Oversized, match=message):
        await read(data, piece=5000)


async def test_a_file_that_was_begun_is_thrown_away_when_the_rest_is_refused() -> None:
    shelf = Shelf()
    reader = FormReader(TYPE, LIMITS, shelf.receive)
    await reader.feed(part('name="f"; filename="x"', b"1" * 500)[:-2])

    with pytest.raises(Oversized):
        await reader.feed(b"1" * 600)
    reader.discard()

    assert (shelf.begun, shelf.discarded, shelf.kept) == (1, 1, {})


async def test_a_full_disk_is_the_callers_business_to_try_again() -> None:
    shelf = Shelf()
    shelf.full = True

    with pytest.raises(JournalFull):
        await read(form(part('name="f"; filename="x"', b"1")), shelf)

    assert shelf.discarded == 1


async def test_hostile_bodies_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Unreadable):
        await read(b"--XX\rhello")

    assert caplog.records == []


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n;%'), min_size=1, max_size=20)


@given(
    st.lists(st.tuples(NAMES, st.one_of(st.none(), NAMES), st.binary(max_size=60)), max_size=3),
    st.integers(1, 100),
)
async def test_however_a_form_is_cut_it_is_read_as_it_was_written(
    parts: list[tuple[str, str | None, bytes]], piece: int
) -> None:
    shelf = Shelf()
    chunks, files, fields = [], [], dict[str, list[Json]]()
    for name, filename, data in parts:
        if filename is None:
            text = data.decode("latin-1")
            chunks.append(part(f'name="{name}"', text.encode()))
            fields.setdefault(name, []).append(text)
        else:
            chunks.append(part(f'name="{name}"; filename="{filename}"', data))
            files.append((name, filename, data))

    found = await read(form(*chunks), shelf, piece=piece)

    assert [(f.field, f.filename, shelf.kept[f.digest]) for f in found.files.values()] == files
    assert found.fields == {name: texts[0] if len(texts) == 1 else texts for name, texts in fields.items()}


HEAD = b"Content-Disposition: form-data; name=a"
SCRAPS = [b"--XX", b"--XX--", b"\r\n", b"\r", b"\n", b"-", HEAD, b"; filename=x", b": ", b"\x00", b"\xff", b"abc"]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(SCRAPS), max_size=30), st.integers(1, 20))
async def test_whatever_is_sent_it_is_read_or_refused(pieces: list[bytes], size: int) -> None:
    try:
        await read(b"".join(pieces), piece=size)
    except (Unreadable, Oversized):
        return
