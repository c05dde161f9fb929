"""URLs of definitions: can a request be made to what is written, and will everybody agree where it leads? Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hooksd.model.network import is_disguised

_KNOWN = ("http://", "https://")
_LIKE = "write it like `https://example.com/hook`"


def url_problem(url: str, *, is_whole: bool, may_hold_user: bool = False) -> tuple[str, str] | None:
    """Return what is wrong with a URL, and what to do; None when nothing is.

    Args:
        url: The URL, or what stands before its first template.
        is_whole: Nothing comes behind it.
        may_hold_user: A user and a password in it are no secret that anybody can read.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return f"this is no URL: {error}", _LIKE
    if not url.lower().startswith(_KNOWN) and (is_whole or not any(item.startswith(url) for item in _KNOWN)):
        return "only http and https URLs can be called", _LIKE
    if not may_hold_user and (parts.username is not None or parts.password is not None):
        hint = 'send them in a header: `headers.Authorization = "Bearer {{ secrets.NAME }}"`'
        return "a URL must not hold credentials", hint
    if is_whole and (not host or re.search(r"[\s\x00-\x1f\x7f]", url)):
        return "this URL has no host, or holds spaces", _LIKE
    return _place_problem(url, host, port, is_whole=is_whole)


def _place_problem(url: str, host: str, port: int | None, *, is_whole: bool) -> tuple[str, str] | None:
    if port == 0:
        return "nobody can listen on port 0", "leave the port out, or write the one that is meant"
    if "\\" in re.split(r"[?#]", url, maxsplit=1)[0] or "%" in host:
        return "programs disagree about where such a URL leads", "write no backslash, and no `%` in the host"
    if is_whole and is_disguised(host):
        return "the host ends in a number and is no IPv4 address", "write four numbers from 0 to 255"
    return None
