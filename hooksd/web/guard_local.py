"""The protocol of the admin listener: the guarded one, and it knows who is at the other end of a Unix socket.

`daemon.server` plugs it in.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from hooksd.web.access import USER_ID
from hooksd.web.guard import GuardedProtocol

_CREDENTIALS: Final = struct.Struct("iII")
"""`struct ucred` (unix(7), SO_PEERCRED): process, user, group, as they were when the connection was made."""


class LocalProtocol(GuardedProtocol):
    """One connection of an operator."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Come in."""
        user = user_of(transport)
        if user is not None:
            self.app_state = {**self.app_state, USER_ID: user}
        super().connection_made(transport)


def user_of(transport: asyncio.BaseTransport) -> int | None:
    """Return the user id of the process at the other end of a Unix socket; None for any other connection."""
    found = transport.get_extra_info("socket")
    if found is None or found.family != socket.AF_UNIX:
        return None
    # The loop's stand-in for a socket has no options: ask through a second descriptor of the same connection.
    with socket.fromfd(found.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(packed)[1])
