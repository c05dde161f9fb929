"""The only way out: a name is resolved once, every address is judged, and one that was judged is dialled.

Nobody resolves a second time, so an answer that changes between the judgement and the call changes nothing. Called by
`delivery.transport`; the judgement itself is `delivery.egress`.
"""

from __future__ import annotations

import asyncio
import functools
import math
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from hooksd.delivery.addresses import Address, parse
from hooksd.delivery.egress import Rules, check_address, check_host
from hooksd.delivery.place import Place

TIMEOUT = 5.0
"""Seconds that an answer may take."""
REMEMBERED = 5.0
"""Seconds that an answer is used again. Records live longer than that; a burst to one host should not ask each time."""
MOST = 4096
"""Answers, and places, that are remembered."""
THREADS = 16
"""Names that are resolved at the same time. A hanging resolver holds one thread for each, and none of the loop."""


_NEVER: tuple[float, tuple[str, ...]] = (-math.inf, ())

K = TypeVar("K")
V = TypeVar("V")


class Resolver(Protocol):
    """Answers which addresses a name has."""

    async def resolve(self, host: str) -> Sequence[str]:
        """Return addresses in the order in which they should be tried.

        Raises:
            OSError: The name is not known, or nobody could be asked.
        """
        ...


class SystemResolver:
    """The resolver of the machine, in threads of its own. Asking for the same name at the same time is asking once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")
        self._asked: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def resolve(self, host: str) -> Sequence[str]:  # noqa: D102 - see Resolver
        asked = self._asked.get(host)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _lookup, host)
            self._asked[host] = asked
            asked.add_done_callback(functools.partial(self._answered, host))
        # Who gives up takes nothing from the others.
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Let go of the threads. Lookups that hang end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, host: str, asked: asyncio.Future[Sequence[str]]) -> None:
        del self._asked[host]
        if not asked.cancelled():
            asked.exception()  # somebody has seen it, or everybody has given up


def _lookup(host: str) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"not a host name: {error}") from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class Dialer:
    """Resolves, judges and dials."""

    def __init__(self, *, resolver: Resolver, now: Callable[[], float]) -> None:
        """Take the world as arguments.

        Args:
            resolver: Who is asked for addresses.
            now: Seconds on a clock that never goes back.
        """
        self._resolver = resolver
        self._now = now
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}
        """What names stand for, and when that was asked."""
        self._vetted: dict[tuple[Place, Rules, bool], tuple[float, tuple[str, ...]]] = {}
        """What was found good, and when: the same is asked for every request."""

    async def vetted(self, place: Place, rules: Rules, *, is_literal: bool) -> tuple[str, ...]:
        """Return the addresses of a place, all of which may be dialled.

        One bad address among good ones refuses them all: whoever answers for the name cannot be trusted then.

        Args:
            place: Where the request goes.
            rules: What the definition says.
            is_literal: The host is written literally in a definition.

        Raises:
            Blocked: The place may not be called.
            OSError: The name has no addresses.
        """
        if known := self.known(place, rules, self._now(), is_literal=is_literal):
            return known
        check_host(rules, place.scheme, place.host, place.port)
        address = parse(place.host)
        since, addresses = await self._addresses(place.host) if address is None else (self._now(), (address,))
        for candidate in addresses:
            check_address(rules, place.host, candidate, is_literal=is_literal)
        texts = tuple(map(str, addresses))
        _keep(self._vetted, (place, rules, is_literal), (since, texts))
        return texts

    def known(self, place: Place, rules: Rules, now: float, *, is_literal: bool) -> tuple[str, ...]:
        """Return what `vetted` found a moment ago; none: it must be asked."""
        since, addresses = self._vetted.get((place, rules, is_literal), _NEVER)
        return addresses if now - since < REMEMBERED else ()

    async def connect(self, address: str, port: int) -> socket.socket:
        """Return a connected socket.

        Raises:
            OSError: Nobody answers there.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # The protocol is named, because event loops turn Nagle's algorithm off only where it is.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def forget(self, host: str) -> None:
        """Ask anew for a host next time: none of its addresses answered."""
        self._known.pop(host, None)
        self._vetted = {key: vetted for key, vetted in self._vetted.items() if key[0].host != host}

    async def _addresses(self, host: str) -> tuple[float, tuple[Address, ...]]:
        known = self._known.get(host)
        if known is not None and self._now() - known[0] < REMEMBERED:
            return known
        try:
            async with asyncio.timeout(TIMEOUT):
                texts = await self._resolver.resolve(host)
        except TimeoutError as error:
            raise socket.gaierror(socket.EAI_AGAIN, "no answer in time") from error
        found = tuple(address for address in map(parse, texts) if address is not None)
        if not found:
            raise socket.gaierror(socket.EAI_NODATA, "the name has no address")
        known = (self._now(), found)
        _keep(self._known, host, known)
        return known


def _keep(memory: dict[K, V], key: K, value: V) -> None:
    """Remember something; of too much, the oldest is forgotten."""
    memory.pop(key, None)
    if len(memory) >= MOST:
        del memory[next(iter(memory))]
    memory[key] = value
