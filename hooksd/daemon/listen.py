"""Listening sockets: TCP for callers, a unix socket for the operator. Called by `daemon.wiring` once at start."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from hooksd.config.settings import Address, TcpAddress, UnixAddress
from hooksd.errors import HooksdError, SettingsRejected

BACKLOG = 1024
"""Connections that may wait to be accepted: a burst of callers must not be turned away by the kernel."""
MAX_UNIX_PATH = 107
"""Bytes that fit into `sun_path` with its end mark (unix(7))."""
OPERATOR_MODE = 0o600
"""Of the admin socket: who may open it may do everything, so only the daemon's own user may."""
CALLER_MODE = 0o666
"""Of a unix socket that receives webhooks: like a port of this machine, open to a proxy of any user."""

_HINTS = {
    errno.EADDRINUSE: "is another daemon running there?",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 are for root, and a socket needs a directory that its daemon may write",
}


def bind(address: Address, *, mode: int = OPERATOR_MODE) -> socket.socket:
    """Open a listening, non-blocking socket.

    Args:
        address: Where.
        mode: Of a unix socket.

    Raises:
        HooksdError: The address cannot be used; the message says why and what to do.
    """
    try:
        return _bind_tcp(address) if isinstance(address, TcpAddress) else _bind_unix(address.path, mode)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = f"; {_HINTS[error.errno]}" if error.errno in _HINTS else ""
        raise HooksdError(f"cannot listen on {named(address)}: {reason}{hint}") from error


def named(address: Address) -> str:
    """Write an address as settings do: `127.0.0.1:9000`, `[::1]:9000` or `unix:/path`."""
    if isinstance(address, UnixAddress):
        return f"unix:{address.path}"
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


def name_of(listener: socket.socket) -> str:
    """Write the address that a socket really has: port 0 has become another, and inherited ones were never ours."""
    where = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{where}"
    return named(TcpAddress(host=where[0], port=where[1]))


def _bind_tcp(address: TcpAddress) -> socket.socket:
    found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = found[0]
    # Protocol 0 would make the event loop miss that this is TCP, and Nagle's algorithm would delay answers by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with _closed_on_error(listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
        listener.setblocking(False)  # noqa: FBT003 - the name of the method says what
    return listener


def _bind_unix(path: Path, mode: int) -> socket.socket:
    if len(os.fsencode(path)) > MAX_UNIX_PATH:
        raise SettingsRejected(
            f"cannot listen on unix:{path}: the path is longer than {MAX_UNIX_PATH} bytes; set a shorter one"
        )
    path.parent.mkdir(mode=0o700 if mode == OPERATOR_MODE else 0o755, parents=True, exist_ok=True)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _closed_on_error(listener):
        # The mode is set before anybody can connect: bind() makes the file, and only listen() opens the door.
        listener.bind(str(path))
        path.chmod(mode)
        listener.listen(BACKLOG)
        listener.setblocking(False)  # noqa: FBT003 - the name of the method says what
    return listener


@contextlib.contextmanager
def _closed_on_error(listener: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        listener.close()
        raise


def _remove_stale(path: Path) -> None:
    """Remove the socket that a killed daemon left behind; refuse one that answers, and anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise HooksdError(f"cannot listen on unix:{path}: a file that is no socket stands there; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise HooksdError(f"cannot listen on unix:{path}: another daemon answers there; stop it first")
