"""What can be wrong with an expression: when it is read, and when it is used."""

from __future__ import annotations


class ExpressionProblem(Exception):
    """An expression or template that cannot be understood. Raised only while compiling."""

    def __init__(self, message: str, *, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        """Where it begins: characters from the beginning of the source."""
        self.end = end
        """One past its last character; greater than `start`, except at the end of the source."""
        self.hint = hint
        """What to do about it, when that is known."""
        self.path: tuple[str | int, ...] = ()
        """For a string inside a larger value: the keys and positions that lead to it."""


class RenderProblem(Exception):
    """An expression or template that has no result for these data. Raised only while rendering."""

    def __init__(self, message: str, *, missing: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        """Names kinds of values and never values: data and secrets do not reach a log through it."""
        self.missing = missing
        """The dotted name that has no value, when that is the reason."""


class Absent(RenderProblem):
    """A name without a value. `default`, `is defined`, `and` and `or` know what to do about it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` is missing: give it a value with `| default(...)`", missing=name)
