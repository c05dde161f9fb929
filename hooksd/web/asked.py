"""A request to the admin listener, read: its JSON, its text, and the refusal that stands for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from starlette.requests import Request

from hooksd.model import body
from hooksd.model.base import Json
from hooksd.web.answer import Answer
from hooksd.web.body import Disconnected, Unreadable, parse_body, read_body
from hooksd.web.problem import CLOSE, problem

MAX_BODY: Final = 10 * 2**20
"""Bytes of a request to the admin listener."""
SHOWN: Final = 5
"""Names that are shown to somebody who asked for one that nothing has."""


class Refusal(Exception):
    """The request cannot be served; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


async def bytes_of(request: Request) -> bytes:
    """Read the body of a request.

    Raises:
        Refusal: It is too long, or ended early.
    """
    try:
        raw = await read_body(request.receive, MAX_BODY)
    except Disconnected as error:
        raise Refusal(problem(400, "the body ended early")) from error
    if raw is None:
        raise Refusal(problem(413, f"the body may have at most {MAX_BODY} bytes", headers=CLOSE))
    return raw


async def document_of(request: Request) -> Json:
    """Read the JSON body of a request; null when there is none.

    Raises:
        Refusal: It is too long, ended early, or is not JSON.
    """
    raw = await bytes_of(request)
    try:
        return parse_body(body.JSON, raw)
    except Unreadable as error:
        raise Refusal(problem(400, str(error))) from error


def identifier_in(request: Request, prefix: str, word: str) -> str:
    """Return the identifier that a path names.

    Args:
        request: Its path has `{id}`.
        prefix: What such an identifier begins with.
        word: What it is called.

    Raises:
        Refusal: It cannot be one.
    """
    text: str = request.path_params["id"]
    rest = text.removeprefix(prefix)
    if rest == text or len(rest) != 36 or not rest.isascii():
        raise Refusal(problem(404, f"the id of a {word} is {prefix} and a UUID"))
    return text


def unknown(word: str, name: str, known: Mapping[str, object]) -> Answer:
    """Answer that nothing has a name, with the name that may be meant, or with some that are known.

    Args:
        word: What it would be.
        name: What was asked for.
        known: What there is, by name.
    """
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else _some(sorted(known))
    return problem(404, f"there is no {word} {name!r}; {hint}")


def _some(names: Sequence[str]) -> str:
    if len(names) < 2:
        return f"there is only {names[0]!r}" if names else "none is defined"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"known are {', '.join(map(repr, names[:SHOWN]))}{more}"


def not_held(word: str, identifier: str) -> Answer:
    """Answer that the log knows nothing of an identifier.

    Args:
        word: What it would be.
        identifier: What was asked for.
    """
    why = "it is another daemon's, or older than `retention_age` keeps"
    return problem(404, f"the log holds no {word} {identifier}; {why}")
