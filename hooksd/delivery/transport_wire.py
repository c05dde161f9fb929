"""What goes over the wire and what is seen of it: one call, and the growing knowledge of its answer.

`delivery.sender` makes a `Call` and a `Wire`, `delivery.transport` fills the wire. A call that fails leaves in it what
was seen until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hooksd.delivery.egress import OPEN, Rules
from hooksd.delivery.place import Place
from hooksd.delivery.transport_heads import Headers
from hooksd.model.identity import Identity

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods by which doing it twice is doing it once (RFC 9110, section 9.2.2)."""


class Call(NamedTuple):
    """A request as bytes, and by which rules it is sent. A tuple, because one is made for every attempt."""

    method: str
    place: Place
    head: bytes
    """The request line and the headers, the empty line included."""
    body: bytes = b""
    rules: Rules = OPEN
    is_literal: bool = True
    """The host is written literally in a definition."""
    identity: Identity | None = None
    may_repeat: bool = False
    """It may be sent again on a new connection when an idle one turned out to be closed: nothing was answered. The
    receiver knows it by an id, or the method is idempotent."""
    is_fresh: bool = False
    """It takes a new connection: it may be sent once only, and an idle one may just be closing."""


class Wire:
    """What is seen of one call. Times are in seconds on the clock that it was given; None: it did not come so far."""

    # Values of the class: one is made for every attempt, and most stay as they are for long.
    resolved_at: float | None = None
    """None, like the two after it, when a connection was used again."""
    connected_at: float | None = None
    secured_at: float | None = None
    sent_at: float | None = None
    """The request was handed over, whole but for what waits in buffers. Before that nothing has left."""
    first_byte_at: float | None = None
    body_at: float | None = None
    """The answer was there to its end."""
    peer: str | None = None
    """The address that was dialled."""
    status: int | None = None
    headers: Headers = ()
    kept_headers: Mapping[str, str] | None = None
    """The headers as they are kept with an attempt, where that is known already."""
    is_cut = False
    """The body went on after the bound."""
    is_whole = False
    """An answer came, to its end or to the bound."""

    def __init__(self, now: Callable[[], float], keeps: int, timeout: float) -> None:
        """Begin.

        Args:
            now: Seconds on a clock that never goes back.
            keeps: Bytes of an answer's body that are read; then the connection is closed.
            timeout: Seconds for all of it, the answer's body included.
        """
        self.now = now
        self.keeps = keeps
        self.timeout = timeout
        self.began = began = now()
        self.ends = began + timeout
        self.body: bytes | bytearray = bytearray()

    @property
    def left(self) -> float:
        """Seconds that are left; none when the time is over."""
        return max(0.0, self.ends - self.now())

    def restart(self) -> None:
        """Forget one connection: another is tried. Nothing had come over it."""
        self.resolved_at = self.connected_at = self.secured_at = self.sent_at = None
        self.peer = None
