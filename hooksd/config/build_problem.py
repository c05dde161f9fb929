"""What is said of a definition that was found good and cannot be put in force. Used by `config.build`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from hooksd.auth.problem import AuthProblem
from hooksd.config.body_schema import SchemaProblem
from hooksd.config.diagnostics import Diagnostic
from hooksd.config.secrets import SecretProblem
from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.model.record import Origin


class BuildProblem(Exception):
    """A definition that was found good cannot be put in force.

    Attributes:
        diagnostic: What is wrong with which definition.
    """

    def __init__(self, origin: Origin, cause: Exception) -> None:
        super().__init__(str(cause))
        self.diagnostic = Diagnostic(
            code=next((code for kind, code in _CODES.items() if isinstance(cause, kind)), "H017"),
            message=_message(cause),
            file=origin.file,
            line=origin.line,
            column=1,
            end_column=2,
            excerpt=None,
            hint=getattr(cause, "hint", None),
        )


_CODES: Mapping[type[Exception], str] = MappingProxyType(
    {
        SecretProblem: "H070",
        AuthProblem: "H072",
        UnicodeDecodeError: "H072",
        ExpressionProblem: "H050",
        RenderProblem: "H050",
        SchemaProblem: "H049",
    }
)


def _message(cause: Exception) -> str:
    """Say what happened. The text of an exception that is not ours may hold a secret, so it is not shown."""
    if isinstance(cause, UnicodeDecodeError):
        return "a secret that it reads is not UTF-8 text"
    if isinstance(cause, tuple(_CODES)):
        return " ".join(str(getattr(cause, "message", cause)).split())
    return f"it cannot be put in force, and that is an error of hooksd ({type(cause).__name__}): please report it"


@contextmanager
def blamed(origin: Origin) -> Iterator[None]:
    """Make whatever happens inside a problem of one definition: the daemon lives on.

    Args:
        origin: Where the definition stands.

    Raises:
        BuildProblem: Something happened.
    """
    try:
        yield
    except Exception as error:
        raise BuildProblem(origin, error) from error
