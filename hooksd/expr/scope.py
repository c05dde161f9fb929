"""What expressions can see, and what one evaluation may cost."""

from __future__ import annotations

from collections.abc import Mapping

from hooksd.expr.problem import RenderProblem
from hooksd.model.base import Json

Scope = Mapping[str, Json]
"""The names in scope and their JSON values. Nothing else than JSON values is ever put in."""

NAMES = frozenset({"event", "body", "headers", "query", "files", "steps", "run", "vars", "error", "secrets"})
"""The names that some scope can have. Which of them exist where is checked by `config.checks`."""

MAX_TEXT = 1024 * 1024
"""The most characters that a template or one operation may put together: one small template over one large body must
not become a hundred large ones. A value that is passed on whole is not put together, and not limited."""

FUEL = 200_000
"""What one evaluation may spend: an iteration of a loop costs one, reading text and lists a fraction per element. It is
about a tenth of a second of work, and much more than an honest template needs."""


class Frame:
    """The state of one evaluation."""

    __slots__ = ("fuel", "pieces", "room", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.fuel = FUEL
        self.room = MAX_TEXT
        self.pieces: list[str] = []

    def spend(self, fuel: int) -> None:
        """Pay for work.

        Raises:
            RenderProblem: The evaluation has done too much.
        """
        self.fuel -= fuel
        if self.fuel < 0:
            raise RenderProblem("the expression does too much work for these data")

    def write(self, text: str) -> None:
        """Add to the text that a template puts together.

        Raises:
            RenderProblem: It becomes too long.
        """
        self.room -= len(text)
        if self.room < 0:
            raise RenderProblem(f"the text becomes longer than {MAX_TEXT} characters")
        self.pieces.append(text)
