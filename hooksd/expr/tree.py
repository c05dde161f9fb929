"""An expression as a tree. Chains are flat, so that a long expression is never a deep one."""

from __future__ import annotations

from dataclasses import dataclass

from hooksd.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A number, a text, true, false or null."""

    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A value of the scope: a name and constant keys."""

    keys: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The part of a text or a list from one position to before another."""

    low: Node | None
    high: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Elements of a value, one after the other."""

    base: Node
    keys: tuple[Node | Cut, ...]
    source: str
    """As written, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`| name(arguments)`."""

    name: str
    arguments: tuple[Node | None, ...]
    """In the order of the filter's parameters; None: left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """`is name(arguments)` or `is not name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A value through filters and tests."""

    base: Node
    stages: tuple[Filter | Test, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    """`-value`."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Operators of one precedence, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """`a ~ b ~ c`: the texts of values, one behind the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`a < b <= c`: every neighbouring pair holds."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`not value`."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """`a and b and c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """`a or b or c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`yes if test else no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """`{'a': b}`."""

    items: tuple[tuple[str, Node], ...]


Node = (
    Constant | Path | Access | Pipeline | Negative | Arithmetic | Joined | Comparison | Not | All | Any | Choice
    | ListOf | MapOf
)  # fmt: skip
