"""How often callers may call: token buckets in memory, one for each rate of a webhook, or one for each address.

A bucket begins full, loses one token with each request and is filled evenly. Memory is bounded; a restart begins anew.
The receiver asks before it reads a body where the rate is of an address, and after the caller has proved who it is
where it is of all callers: so nobody can use up the rate of others.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from hooksd.clock import Clock
from hooksd.model.rate import Rate

MOST_ADDRESSES = 10_000
"""Addresses that are remembered for each rate. When there are more, who came least recently is forgotten, and begins
with a full bucket: at worst somebody with so many addresses is let in as often as without this rate."""
_NETWORK = 64
"""Bits of an IPv6 address that tell callers apart: the rest one caller chooses at will (RFC 6177)."""


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at


class _Meter:
    """The buckets of one rate."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._speed = rate.count / rate.seconds
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, who: str, now: float) -> float:
        """Return the seconds until `who` may call; 0: now, and one token is gone."""
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = _Bucket(float(self._rate.count), now)
            if len(self._buckets) > MOST_ADDRESSES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(who)
            bucket.tokens = min(self._rate.count, bucket.tokens + max(0.0, now - bucket.at) * self._speed)
            bucket.at = now
        # A token is whole when nothing is missing that anybody could measure.
        if bucket.tokens >= 1 - 1e-9:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._speed


class Throttle:
    """The buckets of all webhooks."""

    def __init__(self, clock: Clock) -> None:
        """Take what measures the time."""
        self._clock = clock
        self._meters: dict[tuple[str, Rate], _Meter] = {}

    def wait(self, webhook: str, rates: tuple[Rate, ...], peer: str, *, per_address: bool) -> int:
        """Return the whole seconds until a caller may call; 0: now, and it counts.

        Args:
            webhook: The webhook's name.
            rates: Its rates.
            peer: The caller's address.
            per_address: Ask those rates that each address has for itself, or those of all callers.
        """
        longest = 0.0
        now = self._clock.monotonic()
        for rate in rates:
            if rate.per_address is not per_address:
                continue
            who = network_of(peer) if per_address else ""
            longest = max(longest, self._meter(webhook, rate, rates).wait(who, now))
        return math.ceil(longest)

    def _meter(self, webhook: str, rate: Rate, rates: tuple[Rate, ...]) -> _Meter:
        meter = self._meters.get((webhook, rate))
        if meter is None:
            for known in [known for known in self._meters if known[0] == webhook and known[1] not in rates]:
                del self._meters[known]  # the definition has other rates now
            meter = self._meters[webhook, rate] = _Meter(rate)
        return meter


def network_of(peer: str) -> str:
    """Return what counts as one caller: an IPv4 address, the first half of an IPv6 address, or the text as it is."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> _NETWORK << _NETWORK)}/{_NETWORK}"
    return peer
