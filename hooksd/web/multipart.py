"""Forms with files: fields become texts, files become blobs, and no more than a piece of a file is in memory.

The parser is that of python-multipart; what a part means, and how much of it is taken, is decided here. The names that
callers give to fields and files are data.

Source: RFC 7578 (multipart/form-data), RFC 2046 section 5.1; WHATWG HTML, "Multipart form data": what browsers send.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hooksd.model.base import Json
from hooksd.model.received import ReceivedFile, free_key, safe_name
from hooksd.web.body import Unreadable

MULTIPART: Final = "multipart/form-data"
FIELDS_SIZE: Final = 2**20
"""Bytes of all fields together: unlike files, they are in memory and in the log."""
PIECE: Final = 64 * 1024
"""Bytes that are parsed at once: the event loop gets its turn in between."""

_QUIET: Final = logging.Logger("python_multipart", logging.CRITICAL + 1)  # noqa: LOG001 - in no hierarchy: it is silent
"""The parser tells its logger of every malformed body; the refusal is counted instead."""
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})


class Oversized(Exception):
    """The form has more than it may have. The message says of what; it is for the caller."""


class Incoming(Protocol):
    """A file on its way to the disk: `journal.incoming.Incoming`."""

    size: int

    async def write(self, data: bytes) -> None:
        """Add a piece. Raises JournalError."""
        ...

    async def keep(self) -> str:
        """Make it durable and return its digest. Raises JournalError."""
        ...

    def discard(self) -> None:
        """Throw it away, unless it was kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """What one form may bring."""

    file: int
    """Bytes of one file."""
    files: int
    fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form brought."""

    fields: dict[str, Json]
    """Texts by name; lists of texts where a name repeats."""
    files: dict[str, ReceivedFile]


class _Part:
    """The part that is being read."""

    __slots__ = ("data", "field", "filename", "incoming", "media")

    def __init__(self, field: str, filename: str | None, media: str) -> None:
        self.field = field
        self.filename = filename
        self.media = media
        self.data = bytearray()
        self.incoming: Incoming | None = None


class _Step(NamedTuple):
    """Something that the parser found, to be done when it has read a piece."""

    part: _Part
    data: bytes | None
    """None: the part ends."""


class FormReader:
    """Reads one form. `feed` it the body in pieces, then `finish`; `discard` in any case of failure."""

    def __init__(self, content_type: str, limits: FormLimits, receive: Callable[[], Incoming]) -> None:
        """Begin.

        Args:
            content_type: The whole header field.
            limits: How much is taken.
            receive: Begins a file on the disk.

        Raises:
            Unreadable: The header names no boundary, or one that is none.
        """
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise Unreadable("the media type has no `boundary`")
        self._limits = limits
        self._receive = receive
        self._fields: dict[str, Json] = {}
        self._files: dict[str, ReceivedFile] = {}
        self._counts = {"fields": 0, "files": 0}
        self._size = 0
        self._steps: list[_Step] = []
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._part: _Part | None = None
        self._open: Incoming | None = None
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._on_name,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header,
                    "on_headers_finished": self._on_headers,
                    "on_part_data": self._on_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise Unreadable(f"the `boundary` is none: {error}") from error
        self._parser.logger = _QUIET

    async def feed(self, data: bytes) -> None:
        """Read a piece of the body.

        Raises:
            Unreadable: It is no form.
            Oversized: It has more than it may have.
            JournalError: A file cannot be written.
        """
        for start in range(0, len(data), PIECE):
            try:
                self._parser.write(data[start : start + PIECE])
            except FormParserError as error:
                raise Unreadable(f"the body is no multipart form: {error}") from error
            steps, self._steps = self._steps, []
            for step in steps:
                await self._do(step)

    async def finish(self) -> Form:
        """Return what the form brought; every file is durable.

        Raises:
            Unreadable: The body ended before the form did.
        """
        if not self._ended:
            raise Unreadable("the body ends before its last boundary")
        return Form(fields=self._fields, files=self._files)

    def discard(self) -> None:
        """Throw away the file that was being written. Those that were kept are swept away like any forgotten blob."""
        if self._open is not None:
            self._open.discard()
            self._open = None

    # What the parser finds.

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        name = _text(self._name).lower()
        if name in self._headers:
            raise Unreadable(f"a part has two `{name[:40]}` headers")
        self._headers[name] = _text(self._value)
        self._name.clear()
        self._value.clear()

    def _on_headers(self) -> None:
        kind, options = parse_options_header(
            self._headers.get("content-disposition", "").encode("utf-8").decode("latin-1")
        )
        if kind != b"form-data" or b"name" not in options:
            raise Unreadable("a part has no `Content-Disposition: form-data` with a name")
        if (encoding := self._headers.get("content-transfer-encoding", "").strip().lower()) not in _PLAIN:
            raise Unreadable(f"a part has the transfer encoding {encoding[:40]!r}: send it as it is")
        media = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        filename = _text(options[b"filename"]) if b"filename" in options else None
        self._part = _Part(_text(options[b"name"]), filename, media)
        self._count("fields" if filename is None else "files")
        self._weigh(len(options[b"name"]))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part is None:
            return
        if part.filename is None:
            self._weigh(end - start)
            part.data += data[start:end]
        else:
            self._steps.append(_Step(part, data[start:end]))

    def _on_part_end(self) -> None:
        if self._part is not None:
            self._steps.append(_Step(self._part, None))
            self._part = None

    def _on_end(self) -> None:
        self._ended = True

    def _count(self, what: str) -> None:
        self._counts[what] += 1
        most = self._limits.files if what == "files" else self._limits.fields
        if self._counts[what] > most:
            raise Oversized(f"the form may have at most {most} {what}")

    def _weigh(self, size: int) -> None:
        self._size += size
        if self._size > FIELDS_SIZE:
            raise Oversized(f"the fields of the form may have at most {FIELDS_SIZE} bytes in all; send more as a file")

    # What becomes of it.

    async def _do(self, step: _Step) -> None:
        part = step.part
        if part.filename is None:
            self._add_field(part)
        elif step.data is None:
            await self._add_file(part, part.filename)
        else:
            await self._write(part, step.data)

    def _add_field(self, part: _Part) -> None:
        try:
            text = part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(f"field {part.field[:80]!r} is not UTF-8 at byte {error.start}") from error
        match self._fields.get(part.field):
            case None:
                self._fields[part.field] = text
            case list() as texts:
                texts.append(text)
            case first:
                self._fields[part.field] = [first, text]

    async def _write(self, part: _Part, data: bytes) -> None:
        if part.incoming is None:
            part.incoming = self._open = self._receive()
        if part.incoming.size + len(data) > self._limits.file:
            raise Oversized(f"a file may have at most {self._limits.file} bytes")
        await part.incoming.write(data)

    async def _add_file(self, part: _Part, filename: str) -> None:
        if part.incoming is None and not filename:
            return  # a browser's form in which no file was chosen
        incoming = part.incoming or self._receive()
        digest = await incoming.keep()
        self._open = None
        self._files[free_key(part.field, self._files)] = ReceivedFile(
            field=part.field,
            name=safe_name(filename),
            filename=filename,
            media=part.media or "application/octet-stream",
            size=incoming.size,
            digest=digest,
        )


def _text(data: bytes | bytearray) -> str:
    """Read a header: UTF-8 as today's clients write, else Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
