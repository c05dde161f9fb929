"""Conditions: `when` and `if`. Compiled when definitions are loaded, judged for every event and step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from hooksd.expr.evaluate import Evaluate, evaluator
from hooksd.expr.lexer import scan
from hooksd.expr.names import Reference, names_of
from hooksd.expr.parser import Parser
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import NAMES, Frame, Scope
from hooksd.model.base import Json

KEPT = 2**14
"""Conditions that are kept compiled: each is compiled when it is checked, and needed again when it is put in force."""
MAX_SHOWN = 200
"""Texts longer than this many characters are cut by `Condition.values`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a condition says."""

    value: bool
    missing: str | None = None
    """The dotted name whose absence made the condition false."""
    error: str | None = None
    """Why the condition could not be judged, which made it false. Holds no data."""


_TRUE, _FALSE = Judged(value=True), Judged(value=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled condition. `compile_condition` makes them."""

    source: str
    references: tuple[Reference, ...]
    """Every place that reads a name, in the order of the source."""
    names: frozenset[str]
    """The dotted paths that are read: `body.ref`, `steps.build.ok`."""
    evaluate: Evaluate = field(repr=False)

    def judge(self, scope: Scope) -> Judged:
        """Tell whether the condition holds. A missing value or an error makes it false and is told; nothing is raised.

        `and` and `or` look at all their parts before a missing value counts: `body.a or body.b` holds when either does.
        """
        try:
            return _TRUE if self.evaluate(Frame(scope)) else _FALSE
        except RenderProblem as problem:
            if problem.missing is not None:
                return Judged(value=False, missing=problem.missing)
            return Judged(value=False, error=problem.message)
        except RecursionError:
            return Judged(value=False, error="the values are nested too deeply")

    def values(self, scope: Scope) -> dict[str, Json]:
        """Return what each name is now, for people who ask why: long texts cut, missing names and secrets left out."""
        found: dict[str, Json] = {}
        for reference in self.references:
            if reference.path[0] == "secrets":
                continue
            value: Json = scope
            try:
                for key in reference.path:
                    value = value[key]
            except (KeyError, IndexError, TypeError):
                continue
            found[reference.name] = _shown(value)
        return found


def _shown(value: Json) -> Json:
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return value[:MAX_SHOWN] + "…"
    return value


def compile_condition(source: str, *, names: Iterable[str] = NAMES) -> Condition:
    """Compile a bare expression.

    Args:
        source: The expression, without braces.
        names: The names that exist where it stands.

    Raises:
        ExpressionProblem: It cannot be understood, or reads an unknown name.
    """
    return _compiled(source, frozenset(names))


@lru_cache(KEPT)
def _compiled(source: str, names: frozenset[str]) -> Condition:
    parser = Parser(source, scan(source), names=names)
    evaluate = evaluator(parser.whole())
    references = tuple(parser.references)
    return Condition(source=source, references=references, names=names_of(references), evaluate=evaluate)
