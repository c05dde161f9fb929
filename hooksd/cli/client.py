"""Talks to the daemon over its admin interface, and says kindly when nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from hooksd.cli.output import safe
from hooksd.errors import HooksdError, Unreachable
from hooksd.model.base import Json
from hooksd.model.secret import Secret

CONNECT = 5.0
"""Seconds to wait for the daemon to pick up: it is on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the daemon said."""

    status: int
    data: Json

    @property
    def ok(self) -> bool:
        """Tell whether it did what it was asked for."""
        return 200 <= self.status < 300


class Client:
    """One caller of the admin interface."""

    def __init__(self, address: str, token: Secret | None = None) -> None:
        """Remember where the daemon is.

        Args:
            address: The setting `admin`: `unix:PATH` or `HOST:PORT`.
            token: The admin token, for `HOST:PORT`.
        """
        self._address = address
        self._path = Path(address.removeprefix("unix:")) if address.startswith("unix:") else None
        self._headers = {"authorization": f"Bearer {token.text()}"} if token and self._path is None else {}

    def get(self, path: str) -> Answer:
        """Ask for something."""
        return self._ask("GET", path, None, CONNECT)

    def post(self, path: str, data: Json, *, patience: float) -> Answer:
        """Ask the daemon to do something.

        Args:
            path: Like `/api/v1/reload`.
            data: The JSON body.
            patience: Seconds to wait for the answer.
        """
        return self._ask("POST", path, data, patience)

    def _ask(self, method: str, path: str, data: Json, patience: float) -> Answer:
        transport = httpx.HTTPTransport(uds=str(self._path)) if self._path else httpx.HTTPTransport()
        base = "http://hooksd" if self._path else f"http://{self._address}"
        content = b"" if data is None else orjson.dumps(data)
        headers = {**self._headers, "content-type": "application/json"}
        timeout = httpx.Timeout(patience, connect=CONNECT)
        try:
            with httpx.Client(transport=transport, base_url=base, headers=headers, timeout=timeout) as http:
                answer = http.request(method, path, content=content)
        except httpx.TimeoutException as error:
            raise TooLate(f"the daemon at {self._address} did not answer within {patience:g} s") from error
        except httpx.HTTPError as error:
            raise Unreachable(self._nobody(error)) from error
        return Answer(status=answer.status_code, data=_read(answer))

    def _nobody(self, error: httpx.HTTPError) -> str:
        if "ermission denied" in str(error):
            return f"you may not open {self._address}: run this as the daemon's user"
        return f"no daemon answers on {self._address} ({error}); start one with `hooksd serve`"


class TooLate(HooksdError):
    """The daemon is there and needs longer than we wait."""

    exit_status = 75


def _read(answer: httpx.Response) -> Json:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {"title": safe(answer.text[:200])}


def problem_text(data: Json) -> str:
    """Return what a problem answer says (RFC 9457), in one line."""
    if not isinstance(data, dict):
        return safe(data)
    detail, title = data.get("detail"), data.get("title", "the daemon refused")
    return safe(f"{title}: {detail}" if detail and detail != title else title)
