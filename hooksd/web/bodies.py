"""Bodies that are not read in one go: forms with files, bodies that are files, and compressed ones.

What they bring besides data goes to the shelf, the log's blobs, before the event that names it. Called by `web.receive`
once the caller has proved who it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple, Protocol

import orjson

from hooksd.auth.request import Inbound
from hooksd.config.snapshot import CompiledWebhook
from hooksd.model import body
from hooksd.model.base import Json
from hooksd.model.received import Files, ReceivedFile, safe_name
from hooksd.web.body import parse_body
from hooksd.web.credentials import HIDDEN, kept_body
from hooksd.web.inflate import ALIASES, inflated
from hooksd.web.multipart import MULTIPART, FormLimits, FormReader, Incoming, Oversized

WHOLE: Final = "body"
"""The name of the file that a body is which is no text."""
_PLAIN: Final = frozenset({"", body.JSON, body.FORM})


class Shelf(Protocol):
    """Where files are kept: `journal.file.FileJournal`."""

    @property
    def folder(self) -> str:
        """The directory that their paths begin with."""
        ...

    def receive(self) -> Incoming:
        """Begin a file."""
        ...


class Content(NamedTuple):
    """What a body brought, ready to be part of an event."""

    media: str
    raw: bytes
    data: Json
    files: Files


def is_special(webhook: CompiledWebhook, request: Inbound) -> bool:
    """Tell whether a body is one of those that this module reads; all others are read in one go."""
    if request.media not in _PLAIN and (request.media == MULTIPART or body.is_binary(request.media)):
        return True
    return webhook.entry is not None and webhook.entry.unpacks and _is_packed(request)


class Bodies:
    """Reads them."""

    def __init__(self, shelf: Shelf) -> None:
        """Take where files go."""
        self._shelf = shelf

    @property
    def folder(self) -> str:
        """The directory that the paths of files begin with."""
        return self._shelf.folder

    async def read(self, webhook: CompiledWebhook, request: Inbound) -> Content:
        """Read a body that is in memory.

        Args:
            webhook: Who received it.
            request: The request.

        Raises:
            Unreadable: It is not what it says.
            Oversized: It is more than it may be.
            JournalError: A file cannot be written.
        """
        raw = request.body
        if _is_packed(request):
            unpacked = await inflated(raw, webhook.limit)
            if unpacked is None:
                raise Oversized(f"the body, unpacked, may have at most {webhook.limit} bytes")
            raw = unpacked
        if request.media == MULTIPART:
            return await self.form(webhook, request, _once(raw))
        if body.is_binary(request.media):
            return await self._file(request, raw)
        kept = kept_body(request.changed(body=raw), webhook.verifier)
        return Content(request.media or body.JSON, kept, parse_body(request.media, kept), {})

    async def form(self, webhook: CompiledWebhook, request: Inbound, pieces: AsyncIterator[bytes]) -> Content:
        """Read a form with files, piece by piece.

        Args:
            webhook: Who received it.
            request: The request; its body is not looked at.
            pieces: The body.

        Raises:
            Unreadable: It is no form.
            Oversized: It has more than it may have.
            JournalError: A file cannot be written.
        """
        limits = webhook.value.limits
        bounds = FormLimits(file=limits.file or limits.body, files=limits.files, fields=limits.fields)
        reader = FormReader(request.header_values("content-type")[0], bounds, self._shelf.receive)
        try:
            async for piece in pieces:
                await reader.feed(piece)
            form = await reader.finish()
        finally:
            reader.discard()
        hidden = webhook.verifier.credential_fields & form.fields.keys()
        fields = {**form.fields, **dict.fromkeys(hidden, HIDDEN)}
        return Content(body.JSON, orjson.dumps(fields), fields, form.files)

    async def _file(self, request: Inbound, raw: bytes) -> Content:
        """Keep a body that is a file; the event holds it too, so that it can be sent on as it came."""
        if not raw:
            return Content(request.media, raw, None, {})
        incoming = self._shelf.receive()
        try:
            await incoming.write(raw)
            digest = await incoming.keep()
        finally:
            incoming.discard()
        file = ReceivedFile(
            field=WHOLE, name=safe_name(WHOLE), filename="", media=request.media, size=len(raw), digest=digest
        )
        return Content(request.media, raw, None, {WHOLE: file})


def _is_packed(request: Inbound) -> bool:
    codings = request.header_values("content-encoding")
    return len(codings) == 1 and codings[0].lower() in ALIASES


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
