"""Requests that ask for another protocol, heard as if they did not.

A server may ignore `Upgrade` (RFC 9110 section 7.8), and must where it speaks nothing else: Java's client asks for HTTP
version 2 in this way with every first request. The parser would take the body for the other protocol.
"""

from __future__ import annotations

from collections.abc import Iterable

import httptools


def parser_of(listener: object) -> httptools.HttpRequestParser:
    """Return a parser as uvicorn makes it: one that was told of a close would hear nothing more."""
    parser = httptools.HttpRequestParser(listener)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def without_upgrade(method: bytes, target: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of such a request, as one that does not ask.

    Args:
        method: As it was sent.
        target: As it was sent.
        headers: Names in small letters, and values.
    """
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers if name != "upgrade"]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), *lines, b"\r\n"])
