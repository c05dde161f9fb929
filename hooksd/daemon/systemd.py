"""What a service manager says to a daemon and hears from it: readiness, watchdog, inherited sockets.

A few lines over a datagram socket instead of a library. Without a service manager every call does nothing. Called by
`daemon.wiring` and `daemon.lifecycle`.

Source: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

FIRST_FD = 3
"""SD_LISTEN_FDS_START: inherited sockets begin behind standard input, output and error."""
ADMIN_NAME = "admin"
"""`FileDescriptorName=` of the socket that serves the admin interface; any other name serves webhooks."""
MAX_STATUS = 400
"""Characters of a status line that are sent; more does not help in `systemctl status`."""


class Notifier:
    """Tells the service manager what the daemon does. A lost datagram is no reason to stop: errors are ignored."""

    def __init__(self, address: str | None) -> None:
        """Remember where to send.

        Args:
            address: The value of `NOTIFY_SOCKET`: a path, or `@name` in the abstract namespace. None: nobody listens.
        """
        # A leading "@" stands for the NUL byte that begins an abstract name (unix(7)).
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    def ready(self, status: str) -> None:
        """Say that the daemon accepts requests, or that a reload is over."""
        self._send("READY=1", f"STATUS={_one_line(status)}")

    def reloading(self, monotonic: float) -> None:
        """Say that a reload asked for by the service manager began; `ready` ends it.

        Args:
            monotonic: Seconds of CLOCK_MONOTONIC; newer service managers compare it with when they asked.
        """
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(monotonic * 1_000_000)}")

    def stopping(self) -> None:
        """Say that the daemon is ending in order."""
        self._send("STOPPING=1", "STATUS=finishing what runs")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={_one_line(text)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender,
        ):
            sender.connect(self._address)
            sender.send("\n".join(lines).encode())


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_STATUS else line[: MAX_STATUS - 1] + "…"


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Return how often at least the watchdog wants to be fed; None when there is none for this process."""
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    usec = environment.get("WATCHDOG_USEC", "")
    return int(usec) / 1_000_000 if usec.isdigit() and int(usec) > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """Sockets that the service manager opened for us: already listening."""

    trigger: tuple[socket.socket, ...] = ()
    admin: tuple[socket.socket, ...] = ()


def inherited_sockets(environment: Mapping[str, str], pid: int, first_fd: int = FIRST_FD) -> Inherited:
    """Take over the listening sockets that were passed to this process.

    Args:
        environment: Holds LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES when there are some.
        pid: Of this process; sockets meant for another are left alone.
        first_fd: Where they begin; only tests say anything else.
    """
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(pid) or not count.isdigit():
        return Inherited()
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    trigger: list[socket.socket] = []
    admin: list[socket.socket] = []
    for index in range(int(count)):
        descriptor = first_fd + index
        # Programs that run steps start must not inherit our listeners.
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the parameter takes no keyword
        # socket() asks the kernel for family, type and protocol: with IPPROTO_TCP the loop sets TCP_NODELAY.
        inherited = socket.socket(fileno=descriptor)
        inherited.setblocking(False)  # noqa: FBT003 - the name of the method says what
        name = names[index] if index < len(names) else ""
        (admin if name == ADMIN_NAME else trigger).append(inherited)
    return Inherited(trigger=tuple(trigger), admin=tuple(admin))
