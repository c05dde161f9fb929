"""The wish that the daemon ends: who asked first, and whether somebody is in a hurry. Called by `daemon.lifecycle`."""

from __future__ import annotations

import asyncio

from hooksd.errors import HooksdError


class Stopping:
    """Asked for by a signal or by a failure; the first one counts, a second one means at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()
        self.reason = ""
        self.error: HooksdError | None = None
        """What makes the daemon end, when it does not end because somebody wants it to."""

    def ask(self, reason: str) -> None:
        """End in order; asked again, end at once.

        Args:
            reason: For the log, like `SIGTERM`.
        """
        if self._asked.is_set():
            self._hurried.set()
            return
        self.reason = reason
        self._asked.set()

    def fail(self, error: HooksdError) -> None:
        """End because nothing more can be done; the process exits with the error's status."""
        if self.error is None:
            self.error = error
        if not self._asked.is_set():
            self.ask(str(error))

    async def asked(self) -> None:
        """Return when the daemon shall end."""
        await self._asked.wait()

    async def hurried(self) -> None:
        """Return when it shall end at once."""
        await self._hurried.wait()
