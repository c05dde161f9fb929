"""What a rendered step wants: the closed set of answers of `prepare`, and what `prepare` is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from hooksd.config.snapshot import CompiledStep
from hooksd.engine.rights import Rights
from hooksd.engine.run import Run
from hooksd.expr.scope import Scope
from hooksd.model.base import Json
from hooksd.model.effect import Effect
from hooksd.model.value import value


@value
class Occasion:
    """A step about to be attempted, and everything that it may look at."""

    step: CompiledStep
    run: Run
    number: int
    """Of the attempt, from 1."""
    scope: Scope
    rights: Rights

    def has(self, key: str) -> bool:
        """Tell whether the step was written with a key that holds templates."""
        return key in self.step.values

    def render(self, key: str) -> Json:
        """Return the value of a key with its templates rendered; a value that is one expression keeps its type.

        Raises:
            RenderProblem: A name is missing, or an expression fails.
        """
        return self.step.values[key].render(self.scope)

    def text(self, key: str) -> str:
        """Return the value of a key as text.

        Raises:
            RenderProblem: A name is missing, or an expression fails.
        """
        return str(self.step.values[key].texts(self.scope))

    def texts(self, key: str) -> Mapping[str, str]:
        """Return a mapping of texts; empty when the step was written without the key.

        Raises:
            RenderProblem: A name is missing, or an expression fails.
        """
        if key not in self.step.values:
            return {}
        return {name: str(text) for name, text in self.step.values[key].texts(self.scope).items()}


@value
class Act:
    """Have an effect carried out."""

    effect: Effect


@value
class Settle:
    """Nothing has to be done outside: this is the result."""

    output: Json


@value
class Answer:
    """Tell the caller of the webhook."""

    status: int
    headers: Mapping[str, str]
    body: Json


@value
class Publish:
    """Publish an event."""

    type: str
    subject: str | None
    media: str
    raw: bytes
    data: Json


@value
class Sleep:
    """Wait."""

    seconds: float


@value
class Refuse:
    """The step fails without having touched anything."""

    error: str
    detail: Mapping[str, Json] = field(default_factory=dict)


Intent = Act | Settle | Answer | Publish | Sleep | Refuse
