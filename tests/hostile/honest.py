"""An honest caller in a process of its own: `python honest.py PORT` until its standard input ends.

It posts every ten milliseconds, and `LEAST` times at least, in turn on a connection that it keeps and on a new one, and
prints at the end how long answers took. A connection that was closed between two requests is opened again, as HTTP
clients do.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

BODY = b'{"honest": true}'
PAUSE = 0.01
PATIENCE = 20.0
LEAST = 25


def request(*, keep: bool) -> bytes:
    lines = [
        "POST /hooks/honest HTTP/1.1", "Host: hooks.example.com", "Content-Type: application/json",
        f"Content-Length: {len(BODY)}", f"Connection: {'keep-alive' if keep else 'close'}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + BODY


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def answer(door: socket.socket) -> bytes:
    """Return the status of one answer, and read all of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = door.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += door.recv(65536)
    return head[9:12]


def ask(door: socket.socket, *, keep: bool) -> bytes:
    try:
        door.sendall(request(keep=keep))
        return answer(door)
    except ConnectionError:
        return b""


def main(port: int) -> None:
    milliseconds: list[float] = []
    failed: list[str] = []
    kept = connect(port)
    turn = 0
    while turn < LEAST or not select.select([sys.stdin], [], [], PAUSE)[0]:
        turn += 1
        began = time.perf_counter()
        try:
            if turn % 2:
                status = ask(kept, keep=True)
                if not status:  # closed while it was idle
                    kept.close()
                    kept = connect(port)
                    status = ask(kept, keep=True)
            else:
                with connect(port) as door:
                    status = ask(door, keep=False)
        except OSError as error:
            status = str(error).encode()
        milliseconds.append((time.perf_counter() - began) * 1000)
        if status != b"202":
            failed.append(status.decode())
    milliseconds.sort()
    count = len(milliseconds)
    outcome = {
        "count": count,
        "failed": failed[:20],
        "p50": milliseconds[count // 2],
        "p99": milliseconds[int(count * 0.99)],
    }
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main(int(sys.argv[1]))
