"""A place in the tokens of an expression, and the questions that a parser asks there."""

from __future__ import annotations

from hooksd.expr.lexer import Token
from hooksd.expr.problem import ExpressionProblem


class Cursor:
    """Moves through tokens, the last of which is the end."""

    __slots__ = ("_place", "_tokens", "token")

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        """Stand at the first of the tokens."""
        self._tokens = tokens
        self._place = 0
        self.token = tokens[0]
        """The token that stands here."""

    @property
    def previous(self) -> Token:
        """The token that was taken last."""
        return self._tokens[max(0, self._place - 1)]

    def ahead(self, count: int) -> Token:
        """Return the token that stands so many behind this one, or the end."""
        return self._tokens[min(self._place + count, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Take the token that stands here, whatever it is; the end stays."""
        token = self.token
        if token.kind != "end":
            self._place += 1
            self.token = self._tokens[self._place]
        return token

    def stands(self, text: str) -> bool:
        """Tell whether this word or mark stands here."""
        return self.token.text == text and self.token.kind != "constant"

    def take(self, text: str) -> bool:
        """Take a word or a mark if it stands here, and tell whether it did."""
        if not self.stands(text):
            return False
        self.advance()
        return True

    def expect(self, text: str) -> None:
        """Take a word or a mark.

        Raises:
            ExpressionProblem: It does not stand here.
        """
        if not self.take(text):
            raise self.problem(f"`{text}` is missing here")

    def separator(self, closing: str) -> None:
        """Take a comma, which may be missing before the closing mark.

        Raises:
            ExpressionProblem: Something else stands here.
        """
        if not self.take(",") and not self.stands(closing):
            raise self.problem(f"`,` or `{closing}` is missing here")

    def word(self, what: str) -> Token:
        """Take a word.

        Raises:
            ExpressionProblem: None stands here; `what` says which was expected.
        """
        if self.token.kind != "name":
            raise self.problem(f"{what} is missing here")
        return self.advance()

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises:
            ExpressionProblem: Something is.
        """
        if self.token.kind != "end":
            raise self.problem(f"unexpected `{self.token.text}`")

    def problem(self, message: str, hint: str | None = None) -> ExpressionProblem:
        """Return what is wrong with the token that stands here."""
        return ExpressionProblem(message, start=self.token.start, end=self.token.end, hint=hint)
