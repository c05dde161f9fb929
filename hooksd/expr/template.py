"""Templates: strings with `{{ }}`, and values that hold such strings. Compiled when definitions are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hooksd.expr.blocks import Builder
from hooksd.expr.evaluate import Evaluate
from hooksd.expr.markup import Output, is_template, split
from hooksd.expr.names import Reference, names_of
from hooksd.expr.problem import ExpressionProblem, RenderProblem
from hooksd.expr.scope import NAMES, Frame, Scope
from hooksd.expr.values import text
from hooksd.model.base import Json

KEPT = 2**15
"""Templates that are kept compiled: each is compiled when it is checked, and needed again when it is put in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A compiled template. `compile_template` makes them."""

    source: str
    references: tuple[Reference, ...]
    """Every place that reads a name of the scope, in the order of the source."""
    names: frozenset[str]
    """The dotted paths that are read."""
    is_constant: bool
    """Nothing is rendered: the result is the source."""
    evaluate: Evaluate = field(repr=False)

    def render(self, scope: Scope) -> Json:
        """Return the value: of its own JSON type when the source is exactly one `{{ expression }}`, otherwise text.

        Raises:
            RenderProblem: A value is missing, or there is no result for these data.
        """
        try:
            return self.evaluate(Frame(scope))
        except RecursionError:
            raise RenderProblem("the values are nested too deeply") from None

    def text(self, scope: Scope) -> str:
        """Return the value as text: null is empty, true and false are words, maps and lists are compact JSON.

        Raises:
            RenderProblem: As for `render`.
        """
        return text(self.render(scope))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A JSON value whose strings may be templates. `compile_value` makes them."""

    references: tuple[Reference, ...]
    """Of all its templates; their positions count in each template by itself."""
    names: frozenset[str]
    is_constant: bool
    """No string in it is a template."""
    tree: Json = field(repr=False)
    """The value, with a `Template` for each string that is one."""

    def render(self, scope: Scope) -> Json:
        """Return the value, every template rendered by `Template.render`.

        Raises:
            RenderProblem: As for `Template.render`.
        """
        return self.tree if self.is_constant else _rendered(self.tree, lambda template: template.render(scope))

    def texts(self, scope: Scope) -> Json:
        """Return the value, every template rendered by `Template.text`; what is no template stays as it is.

        Raises:
            RenderProblem: As for `Template.render`.
        """
        return self.tree if self.is_constant else _rendered(self.tree, lambda template: template.text(scope))


def _rendered(tree: Json, render: Callable[[Template], Json]) -> Json:
    match tree:
        case Template():
            return render(tree)
        case dict():
            return {key: _rendered(item, render) for key, item in tree.items()}
        case list():
            return [_rendered(item, render) for item in tree]
    return tree


def compile_template(source: str, *, names: Iterable[str] = NAMES) -> Template:
    """Compile a string.

    Args:
        source: The string; without `{{` and `{%` it is a constant.
        names: The names that exist where it stands.

    Raises:
        ExpressionProblem: It cannot be understood, or reads an unknown name.
    """
    return _template(source, frozenset(names))


@lru_cache(KEPT)
def _template(source: str, names: frozenset[str]) -> Template:
    if not is_template(source):
        return Template(source=source, references=(), names=frozenset(), is_constant=True, evaluate=lambda _: source)
    parts = split(source)
    builder = Builder(source, parts, names)
    match parts:
        case [Output() as only] if only.start == 0 and only.end == len(source):
            evaluate = builder.output(only)
        case _:
            evaluate = _composed(builder)
    references = tuple(builder.references)
    return Template(
        source=source, references=references, names=names_of(references), is_constant=False, evaluate=evaluate
    )


def _composed(builder: Builder) -> Evaluate:
    write = builder.whole()

    def evaluate(frame: Frame) -> str:
        write(frame)
        return "".join(frame.pieces)

    return evaluate


def compile_value(value: Json, *, names: Iterable[str] = NAMES) -> Value:
    """Compile every string of a JSON value that holds `{{` or `{%`.

    Args:
        value: A definition's value: text, list, map or any other JSON value.
        names: The names that exist where it stands.

    Raises:
        ExpressionProblem: A string cannot be understood; `path` leads to it.
    """
    references: list[Reference] = []
    tree = _compiled(value, frozenset(names), (), references)
    found = tuple(references)
    # A template without names, like `{{ 1 + 1 }}`, is a template all the same.
    constant = not _holds_template(tree)
    return Value(references=found, names=names_of(found), is_constant=constant, tree=tree)


def _compiled(value: Json, names: frozenset[str], path: tuple[str | int, ...], references: list[Reference]) -> Json:
    match value:
        case str() if is_template(value):
            template = _located(value, names, path)
            references += template.references
            return template
        case Mapping():
            for key in value:
                _check_key(key, path)
            return {key: _compiled(item, names, (*path, key), references) for key, item in value.items()}
        case list() | tuple():
            return [_compiled(item, names, (*path, index), references) for index, item in enumerate(value)]
    return value


def _located(source: str, names: frozenset[str], path: tuple[str | int, ...]) -> Template:
    try:
        return compile_template(source, names=names)
    except ExpressionProblem as problem:
        problem.path = path
        raise


def _check_key(key: str, path: tuple[str | int, ...]) -> None:
    if is_template(key):
        problem = ExpressionProblem(
            "a key cannot be a template",
            start=0,
            end=len(key),
            hint="build the map in one expression: \"{{ {'key': body.value} }}\"",
        )
        problem.path = (*path, key)
        raise problem


def _holds_template(tree: Json) -> bool:
    match tree:
        case Template():
            return True
        case dict():
            return any(map(_holds_template, tree.values()))
        case list():
            return any(map(_holds_template, tree))
    return False
