"""Talks to the daemon over its admin interface, and says kindly when nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

import orjson

from hooksd.cli.output import safe
from hooksd.config.settings import Address, TcpAddress, UnixAddress
from hooksd.daemon.listen import named
from hooksd.errors import HooksdError, Unreachable
from hooksd.model.base import Json
from hooksd.model.secret import Secret

PATIENCE = 10.0
"""Seconds to wait for an answer that costs the daemon nothing: it is on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the daemon said."""

    status: int
    data: Json
    raw: bytes = b""
    """Its body, as it came."""
    etag: str | None = None
    """Which version of a thing this is, for `match`."""

    @property
    def ok(self) -> bool:
        """Tell whether it did what it was asked for."""
        return 200 <= self.status < 300


class Client:
    """One caller of the admin interface."""

    def __init__(self, address: Address, token: Secret | None = None) -> None:
        """Remember where the daemon is.

        Args:
            address: The setting `admin`.
            token: The admin token; sent over TCP only.
        """
        self._address = address
        self._token = token if isinstance(address, TcpAddress) else None

    def get(self, path: str) -> Answer:
        """Ask for something."""
        return self._ask("GET", path, None, PATIENCE)

    def post(self, path: str, data: Json, *, patience: float) -> Answer:
        """Ask the daemon to do something.

        Args:
            path: Like `/api/v1/reload`.
            data: The JSON body.
            patience: Seconds to wait for the answer.
        """
        return self._ask("POST", path, data, patience)

    def text(self, path: str, media: str) -> Answer:
        """Ask for something in another form than JSON; it is in `raw`."""
        return self._ask("GET", path, None, PATIENCE, {"accept": media})

    def change(
        self,
        method: str,
        path: str,
        data: Json | bytes,
        *,
        patience: float,
        media: str = "application/json",
        match: str | None = None,
    ) -> Answer:
        """Ask the daemon to change something.

        Args:
            method: `PUT`, `POST` or `DELETE`.
            path: What is changed.
            data: The JSON body; or bytes, which are sent as they are.
            patience: Seconds to wait for the answer.
            media: The media type of the body.
            match: Only if it still is this version, as `Answer.etag` names it; None: whatever it is.
        """
        headers = {"content-type": media, **({} if match is None else {"if-match": match})}
        return self._ask(method, path, data, patience, headers)

    def publish(self, path: str, raw: bytes, headers: Mapping[str, str], *, patience: float) -> Answer:
        """Ask the daemon to take an event.

        Args:
            path: Where it goes.
            raw: The data.
            headers: Its media type and its attributes.
            patience: Seconds to wait for the answer.
        """
        return self._ask("POST", path, raw, patience, headers)

    def _ask(
        self,
        method: str,
        path: str,
        data: Json | bytes,
        patience: float,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        headers = {"content-type": "application/json", **more}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.text()}"
        with closing(self._connection(patience)) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise Unreachable(self._nobody(error)) from error
            try:
                connection.request(method, path, _written(data), headers)
                answer = connection.getresponse()
                raw = answer.read()
                return Answer(status=answer.status, data=_read(raw), raw=raw, etag=answer.getheader("etag"))
            except TimeoutError as error:
                raise TooLate(f"the daemon at {named(self._address)} did not answer within {patience:g} s") from error
            except (OSError, HTTPException) as error:
                raise Unreachable(f"the daemon at {named(self._address)} hung up: {type(error).__name__}") from error

    def _connection(self, patience: float) -> HTTPConnection:
        match self._address:
            case UnixAddress(path=path):
                return _UnixConnection(path, patience)
            case TcpAddress(host=host, port=port):
                return HTTPConnection(host, port, timeout=patience)
            case _:
                assert_never(self._address)

    def _nobody(self, error: OSError) -> str:
        if isinstance(error, PermissionError):
            return f"you may not open {named(self._address)}: run this as the daemon's user"
        why = (error.strerror or str(error)).lower()
        return f"no daemon answers on {named(self._address)} ({why}); start one with `hooksd serve`"


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, patience: float) -> None:
        super().__init__("hooksd", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class TooLate(HooksdError):
    """The daemon is there and needs longer than we wait."""

    exit_status = 75


def _written(data: Json | bytes) -> bytes:
    if isinstance(data, bytes):
        return data
    return b"" if data is None else orjson.dumps(data)


def _read(content: bytes) -> Json:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return {"title": content[:200].decode("utf-8", "replace")}


def problem_text(data: Json) -> str:
    """Return what a problem answer says (RFC 9457), in one line."""
    if not isinstance(data, dict):
        return safe(data)
    # The title is the phrase of the status: it says something only where nobody said more.
    return safe(data.get("detail") or data.get("title", "the daemon refused"))
