"""Fetches the keys that verifiers want from elsewhere, so that no request ever waits for it.

One task of the daemon. What may be asked is written in definitions or bound to a provider's hosts (`hooksd.auth`); how
often, how long and how much is bounded here and in `hooksd.auth.remote`. Redirects are not followed, cookies not sent,
proxies not used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx

from hooksd.auth.remote import Remote, Remotes
from hooksd.clock import Clock
from hooksd.telemetry import happenings
from hooksd.telemetry.observer import Observer

PAUSE = 1.0
"""Seconds between two looks at what is due: about how long the first caller after a start is answered 503."""
AT_ONCE = 8
"""The most requests at a time."""
TIMEOUT = 5.0
"""Seconds for a request, its answer included."""
MAX_BYTES = 256 * 1024
"""The longest key set or certificate."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Returns what stands at a URL. Raises OSError or httpx.HTTPError, saying why not."""


class KeyKeeper:
    """Fetches what is due, as long as the daemon lives."""

    def __init__(self, *, remotes: Remotes, clock: Clock, observer: Observer, fetch: Fetch) -> None:
        """Take what it works with.

        Args:
            remotes: What verifiers want.
            clock: The time.
            observer: Told when something cannot be had.
            fetch: Makes the requests: `fetch_https`; tests hand in their own.
        """
        self._remotes = remotes
        self._clock = clock
        self._observer = observer
        self._fetch = fetch

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            await self.round()
            await self._clock.sleep(PAUSE)

    async def round(self) -> None:
        """Fetch what is due now, and visit what is to be visited."""
        due = self._remotes.due(self._clock.now())[:AT_ONCE]
        visits = self._remotes.visits()
        if not due and not visits:
            return
        async with asyncio.TaskGroup() as group:
            for remote in due:
                group.create_task(self._renew(remote), name="fetch keys")
            for url in visits:
                group.create_task(self._asked(url), name="confirm")

    async def _renew(self, remote: Remote[object]) -> None:
        data = await self._asked(remote.url)
        if not remote.received(data, self._clock.now()) and data is not None:
            self._observer.emit(happenings.KeysMissing(url=remote.url, error="the answer holds no keys that fit"))

    async def _asked(self, url: str) -> bytes | None:
        try:
            return await asyncio.wait_for(self._fetch(url), TIMEOUT)
        except (OSError, httpx.HTTPError) as error:
            why = str(error) or type(error).__name__
            # What stands behind the question mark may be a capability.
            self._observer.emit(happenings.KeysMissing(url=url.partition("?")[0], error=why))
            return None


async def fetch_https(url: str) -> bytes:
    """Return what stands at a URL.

    Raises:
        OSError: The answer is none, or too long.
        httpx.HTTPError: There is no answer.
    """
    tls = await asyncio.to_thread(ssl.create_default_context)
    async with (
        httpx.AsyncClient(verify=tls, trust_env=False, timeout=TIMEOUT) as client,
        client.stream("GET", url) as response,
    ):
        return await bounded(response)


async def bounded(response: httpx.Response) -> bytes:
    """Read an answer up to `MAX_BYTES`.

    Raises:
        OSError: It is not 200, or longer.
    """
    if response.status_code != httpx.codes.OK:
        raise OSError(f"answered {response.status_code}")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > MAX_BYTES:
            raise OSError(f"the answer has more than {MAX_BYTES} bytes")
    return bytes(data)
