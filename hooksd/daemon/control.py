"""The daemon as operators see it: what the admin listener shows and may ask for. `web.control.Control` is the seam."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hooksd.config.snapshot import Snapshot
from hooksd.daemon.reload import Status
from hooksd.journal.reader import LogReader
from hooksd.model.base import Json
from hooksd.web.control import Control
from hooksd.web.recent import marks, recent


class Current:
    """The definitions in force: one reference, assigned by the reloader, read by everybody."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None

    def __call__(self) -> Snapshot:
        """Return what is in force.

        Raises:
            LookupError: Nothing is yet: the first load comes before everything that asks.
        """
        if self._snapshot is None:
            raise LookupError("no definitions are in force yet")
        return self._snapshot

    def publish(self, snapshot: Snapshot) -> None:
        """Put a snapshot in force."""
        self._snapshot = snapshot


class Definitions(Protocol):
    """What keeps the definitions in step with the files: `daemon.reload.Reloader`."""

    @property
    def status(self) -> Status:
        """How things stand now."""
        ...

    async def reload(self, accept: str | None = None) -> Status:
        """Look at the files now and return the verdict."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What does not change while the daemon lives."""

    version: str
    pid: int
    started_at: str
    """RFC 3339."""
    listen: str
    admin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much has no end yet."""

    runs: int
    deliveries: int


class Operator:
    """Answers the admin listener."""

    def __init__(
        self,
        *,
        identity: Identity,
        definitions: Definitions,
        current: Callable[[], Snapshot],
        reader: LogReader,
        work: Callable[[], Work],
        log: Callable[[], str],
    ) -> None:
        """Take what it asks.

        Args:
            identity: Who this daemon is.
            definitions: Keeps them in step with the files.
            current: Returns the definitions in force.
            reader: Reads the log.
            work: Returns how much has no end yet.
            log: Returns the state of the log: `ok`, `full` or `broken`.
        """
        self._identity = identity
        self._definitions = definitions
        self._current = current
        self._reader = reader
        self._work = work
        self._log = log

    def status(self) -> dict[str, Json]:
        """Return the state of the daemon and of its definitions."""
        snapshot, work, identity = self._current(), self._work(), self._identity
        return {
            **self._definitions.status.as_json(),
            "commit": snapshot.revision.commit,
            "dirty": snapshot.revision.dirty,
            "counts": snapshot.definitions.counts(),
            "unfinished_runs": work.runs,
            "unfinished_deliveries": work.deliveries,
            "log": self._log(),
            "version": identity.version,
            "pid": identity.pid,
            "started_at": identity.started_at,
            "listen": identity.listen,
            "admin": identity.admin,
        }

    async def reload(self, accept: str | None) -> dict[str, Json]:
        """Read the definitions again now and return the verdict."""
        return (await self._definitions.reload(accept)).as_json()

    def current(self) -> Snapshot:
        """Return the definitions in force."""
        return self._current()

    async def history(self, identifier: str) -> Sequence[Mapping[str, Json]]:
        """Return every record about an event, a run or a delivery, oldest first."""
        return await asyncio.to_thread(self._find, identifier)

    async def recent(self, endpoint: str, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the last deliveries to an endpoint, the last one first."""
        found = marks(endpoint)
        return await asyncio.to_thread(
            recent, lambda: (entry.tree for entry in self._reader.backward(found)), endpoint, count
        )

    async def created(self, delivery: str) -> Mapping[str, Json] | None:
        """Return the record that created a delivery."""
        return await asyncio.to_thread(self._created, delivery)

    def _created(self, delivery: str) -> dict[str, Json] | None:
        try:
            return self._reader.created(delivery)
        except ValueError:
            return None

    def _find(self, identifier: str) -> list[dict[str, Json]]:
        try:
            return [entry.tree for entry in self._reader.find(identifier)]
        except ValueError:
            return []


def status_line(status: Status) -> str:
    """Return the state in one line, for the service manager: with the first problem when there is one."""
    line = f"{status.state}: revision {status.running or 'none'} in force"
    if status.state == "REJECTED" and status.diagnostics:
        errors = [item for item in status.diagnostics if item.severity == "error"] or list(status.diagnostics)
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"{line}, files rejected: {first.file}:{first.line}:{first.column}: {first.message}{more}"
    if status.state == "HELD":
        return f"{line}, files held: {status.reason}; hooksd reload --accept {status.revision}"
    return line


_: type[Control] = Operator
