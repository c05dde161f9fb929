"""Headers of HTTP: what one may be called and hold, and which of them nobody but hooksd may say. Pure.

Called where definitions are checked, and again where requests are made: values may come from data.
"""

from __future__ import annotations

import re
from typing import Final

CREDENTIAL_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
    | {"x-access-token", "private-token", "x-gitlab-token"}
)
"""Headers whose values are never written down, in lower case."""

FRAMING_HEADERS: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade"}
)
"""Headers that say where a message ends: only the HTTP client knows, so nobody else may say it."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def name_problem(name: str) -> str | None:
    """Return why nobody may send a header of a name (RFC 9110, section 5.1); None when it may be sent."""
    if not _NAME.fullmatch(name):
        return f"{name[:80]!r} cannot be the name of a header"
    if name.lower() in FRAMING_HEADERS:
        return f"the header {name} is set by hooksd alone"
    return None


def header_problem(name: str, value: str) -> str | None:
    """Return why a header cannot be sent, without its value; None when it can."""
    if problem := name_problem(name):
        return problem
    if _CONTROL.search(value):
        return f"the header {name} holds a control character, such as the end of a line"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"the header {name} holds half a surrogate pair, which is not text"
    return None
