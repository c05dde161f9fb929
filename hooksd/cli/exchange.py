"""A delivery as `curl -v` would show it: what was sent, what came back. Used by `hooksd deliveries show`.

Secrets are replaced in the log already. Whatever a receiver answered is shown so that a terminal only shows it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click
import orjson

from hooksd.cli.lines import BAD, DIM, GOOD, status
from hooksd.cli.output import safe
from hooksd.cli.shell import HIDDEN
from hooksd.model.spans import format_duration

Tree = Mapping[str, Any]
Blob = Callable[[str], bytes]
"""Returns the bytes of a digest. Raises KeyError."""

SHOWN = 4096
"""Characters of a body that are shown."""


def body_of(stored: Tree, blob: Blob) -> bytes:
    """Return the bytes of a body as the log has it.

    Raises:
        KeyError: It was kept beside the log, and is not there any more.
    """
    match stored["encoding"]:
        case "none":
            return b""
        case "json":
            return orjson.dumps(stored["content"])
        case "base64":
            return base64.b64decode(stored["content"])
        case "blob":
            return blob(stored["content"])
        case _:
            return str(stored["content"]).encode("utf-8", "surrogatepass")


def told(trees: Sequence[Tree], blob: Blob, *, whole: bool, hidden: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines that tell of one delivery.

    Args:
        trees: Its records, oldest first; the first that creates it is among them.
        blob: Reads bodies that are kept beside the log.
        whole: Bodies are not cut.
        hidden: What is replaced in what was sent. In all else the log has replaced it.
    """
    created = next(tree for tree in trees if tree["type"] == "delivery.created")
    yield from _head(created, trees)
    limit = None if whole else SHOWN
    for tree in trees:
        match tree["type"]:
            case "delivery.created" if tree.get("again"):
                yield ""
                yield click.style(f"asked for again at {safe(tree['at'])}", fg="yellow")
            case "attempt.ended":
                yield ""
                yield from _attempt(tree, _Sent(created, blob, hidden), limit)


def _head(created: Tree, trees: Sequence[Tree]) -> Iterator[str]:
    end = end_of(trees)
    state = status(end["status"]) if end else click.style("under way", fg="yellow")
    tries = sum(tree["type"] == "attempt.ended" for tree in trees)
    count = f"{tries} attempt" + ("" if tries == 1 else "s")
    yield f"{click.style(safe(created['delivery']), bold=True)}  to {safe(created['endpoint'])}  {state} after {count}"
    of = f"asked for by {safe(created['by'])}" if created.get("by") else f"event {safe(created['event'])}"
    if created["run"]:
        of += f", step {safe(created['step'])} of {safe(created['run'])}"
    yield click.style(f"{of}, created {safe(created['at'])}", fg=DIM)


def end_of(trees: Sequence[Tree]) -> Tree | None:
    """Return the end of a delivery; None when it has none, or began anew behind it."""
    last: Tree | None = None
    for tree in trees:
        if tree["type"] == "delivery.created":
            last = None
        elif tree["type"] == "delivery.ended":
            last = tree
    return last


class _Sent(NamedTuple):
    """What was sent, and what is not shown of it."""

    created: Tree
    blob: Blob
    hidden: Sequence[str]

    def body(self) -> bytes:
        raw = body_of(self.created["body"], self.blob)
        for text in self.hidden:
            raw = raw.replace(text.encode("utf-8", "surrogatepass"), HIDDEN.encode())
        return raw


def _attempt(tree: Tree, sent: _Sent, limit: int | None) -> Iterator[str]:
    exchange = tree["exchange"]
    took = format_duration(float(exchange.get("total_ms") or 0) / 1000)
    tone = GOOD if tree["outcome"] == "ok" else BAD
    outcome = click.style(safe(tree["outcome"]), fg=tone)
    yield f"attempt {tree['number']} ({safe(tree['reason'])}) at {safe(tree['at'])}: {outcome} in {took}"
    if exchange.get("peer"):
        yield _mark("*", f"connected to {exchange['peer']}{_phases(exchange)}")
    if exchange["method"]:
        yield from _request(exchange, sent, limit)
    if exchange.get("status") is not None:
        yield from _response(exchange, limit)
    if tree.get("error") and tree["error"] != f"answered {exchange.get('status')}":
        yield _mark("*", str(tree["error"]))
    if tree.get("retry_at"):
        yield _mark("*", f"again at {tree['retry_at']}")


def _phases(exchange: Tree) -> str:
    phases = exchange.get("phases") or {}
    return "".join(f", {name} {ms:g} ms" for name, ms in phases.items())


def _request(exchange: Tree, sent: _Sent, limit: int | None) -> Iterator[str]:
    parts = urlsplit(exchange["url"])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    yield _mark(">", f"{exchange['method']} {target} HTTP/1.1")
    yield _mark(">", f"Host: {parts.netloc}")
    for name, value in exchange["request_headers"].items():
        yield _mark(">", f"{name}: {value}")
    if not exchange["request_size"]:
        yield _mark(">", "")
        return
    yield _mark(">", f"Content-Length: {exchange['request_size']}")
    yield _mark(">", "")
    try:
        yield from _body(">", sent.body(), limit)
    except KeyError:
        yield _mark("*", f"{exchange['request_size']} bytes, which are not beside the log any more")


def _response(exchange: Tree, limit: int | None) -> Iterator[str]:
    code = exchange["status"]
    phrase = HTTPStatus(code).phrase if code in set(HTTPStatus) else ""
    yield _mark("<", f"HTTP/1.1 {code} {phrase}".rstrip())
    for name, value in (exchange.get("response_headers") or {}).items():
        yield _mark("<", f"{name}: {value}")
    yield _mark("<", "")
    yield from _lines("<", exchange.get("response_body") or "", limit)
    if exchange.get("response_truncated"):
        yield _mark("*", "the answer went on: no more of it was kept")


def _body(mark: str, raw: bytes, limit: int | None) -> Iterator[str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        yield _mark("*", f"{len(raw)} bytes that are no text")
        return
    yield from _lines(mark, text, limit)


def _lines(mark: str, text: str, limit: int | None) -> Iterator[str]:
    shown = text if limit is None else text[:limit]
    for line in shown.removesuffix("\n").split("\n") if shown else ():
        yield _mark(mark, line)
    if len(shown) < len(text):
        yield _mark("*", f"{len(text) - len(shown)} more characters: --whole shows them")


def _mark(mark: str, text: str) -> str:
    return (
        f"{click.style(mark, fg=DIM)} {safe(text)}".rstrip() if mark != "*" else click.style(f"* {safe(text)}", fg=DIM)
    )
