"""What the admin listener needs of the daemon. `hooksd.daemon` implements it; tests have a fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hooksd.config.snapshot import Snapshot
from hooksd.model.base import Json


class Control(Protocol):
    """The daemon as an operator sees it."""

    def status(self) -> dict[str, Json]:
        """Return the state of the daemon and of its definitions, for `GET /api/v1/status`."""
        ...

    async def reload(self, accept: str | None) -> dict[str, Json]:
        """Read the definitions again now and return the verdict.

        Args:
            accept: The revision that may remove as much as it does (state HELD), or None.

        Returns:
            At least `state` (`IN_SYNC`, `REJECTED` or `HELD`), `revision`, `running` and `diagnostics`. `IN_SYNC` is
            answered with 200, every other state with 409.
        """
        ...

    def current(self) -> Snapshot:
        """Return the definitions in force."""
        ...

    async def history(self, identifier: str) -> Sequence[Mapping[str, Json]]:
        """Return every record about an event (with its runs), a run or a delivery, oldest first; none: it is unknown.

        It reads files, so implementations do it in a thread.
        """
        ...

    async def recent(self, endpoint: str, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the last deliveries to an endpoint, as `hooksd.web.recent` shows them. In a thread, as `history`."""
        ...
