"""What is known of a request beside its bytes: by which way it goes, and what is seen of it on the wire.

`delivery.request` makes a `Way` for an endpoint, `delivery.sender` a `Wire` for each request, which
`delivery.transport` fills. A request that fails leaves in it what was seen until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hooksd.delivery.egress import OPEN, Rules
from hooksd.delivery.place import Place
from hooksd.delivery.transport_heads import Headers
from hooksd.model.identity import Identity

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods by which doing it twice is doing it once (RFC 9110, section 9.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where requests go and by which rules: the same for all requests of an endpoint."""

    place: Place
    rules: Rules = OPEN
    is_literal: bool = True
    """The host is written literally in a definition."""
    identity: Identity | None = None
    """What TLS needs of its own."""
    may_repeat: bool = False
    """A request may be sent again on a new connection when an idle one turned out to be closed: nothing was answered.
    The receiver knows it by an id, or the method is idempotent."""
    is_fresh: bool = False
    """A request takes a new connection: it may be sent once only, and an idle one may just be closing."""


class Wire:
    """What is seen of one request."""

    # Values of the class: one is made for every attempt, and most stay as they are for long.
    peer: str | None = None
    """The address that was dialled."""
    status: int | None = None
    headers: Headers = ()
    kept: Mapping[str, str] | None = None
    """The headers as they are kept with an attempt."""
    body: bytes | bytearray = b""
    is_cut = False
    """The body went on after the bound."""

    def __init__(self, now: Callable[[], float], keeps: int, timeout: float) -> None:
        """Begin.

        Args:
            now: Seconds on a clock that never goes back.
            keeps: Bytes of an answer's body that are read; then the connection is closed.
            timeout: Seconds for all of it, the answer's body included.
        """
        self.now = now
        self.keeps = keeps
        self.began = began = now()
        self.ends = began + timeout
        self.reached: dict[str, float] = {}
        """The end of each phase that was reached, in their order, in seconds on the clock that it was given.

        `dns`, `connect` and `tls` are not reached when a connection is used again. `request`: it was handed over, whole
        but for what waits in buffers; before that nothing has left. `first_byte`, `body`: of the answer.
        """

    @property
    def left(self) -> float:
        """Seconds that are left; none when the time is over."""
        return max(0.0, self.ends - self.now())

    @property
    def is_whole(self) -> bool:
        """An answer came, to its end or to the bound."""
        return "body" in self.reached

    def restart(self) -> None:
        """Forget one connection: another is tried. Nothing had come over it."""
        self.reached.clear()
        self.peer = None
