"""From tokens to a tree, by recursive descent in the grammar of docs/expressions.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hooksd.expr import tree
from hooksd.expr.cursor import Cursor
from hooksd.expr.filters import FILTERS
from hooksd.expr.lexer import Token, Tokens
from hooksd.expr.names import Reference, did_you_mean
from hooksd.expr.predicates import PREDICATES
from hooksd.expr.problem import ExpressionProblem
from hooksd.expr.scope import NAMES
from hooksd.model.base import Json

MAX_NESTING = 24
"""How deep brackets may stand in brackets. Each level costs some frames of the stack, and the stack has an end."""

_CONSTANTS: dict[str, Json] = {
    "true": True, "True": True, "false": False, "False": False, "none": None, "None": None, "null": None,
}  # fmt: skip
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_ARITHMETIC = frozenset({"+", "-", "~", "*", "/", "//", "%", "**"})


class Parser:
    """Reads one expression. `references` grows with the names of the scope that it reads."""

    def __init__(
        self, source: str, tokens: Tokens, *, names: Iterable[str] = NAMES, locals_: frozenset[str] = frozenset()
    ) -> None:
        """Take an expression.

        Args:
            source: The whole text that the tokens' positions count in.
            tokens: The expression.
            names: The names that exist in its scope.
            locals_: Names of the loops around it: they exist too, and are no references.
        """
        self._source = source
        self._cursor = Cursor(tokens.items)
        self._names = frozenset(names)
        self._locals = locals_
        self._nesting = 0
        self.references: list[Reference] = []

    def whole(self) -> tree.Node:
        """Return the expression that all tokens together are."""
        if self._cursor.token.kind == "end":
            raise self._cursor.problem("an expression is missing")
        node = self.expression()
        self._cursor.end()
        return node

    # The grammar, from the weakest binding to the strongest.

    def expression(self) -> tree.Node:
        """Return the expression that begins here."""
        self._enter()
        yes = self._chain("or", tree.Any, self._all)
        if self._cursor.take("if"):
            test = self._chain("or", tree.Any, self._all)
            no: tree.Node = self.expression() if self._cursor.take("else") else tree.Constant(value=None)
            yes = tree.Choice(test=test, yes=yes, no=no)
        self._nesting -= 1
        return yes

    def _all(self) -> tree.Node:
        return self._chain("and", tree.All, self._not)

    def _chain(self, word: str, make: type[tree.Any | tree.All], part: Callable[[], tree.Node]) -> tree.Node:
        parts = [part()]
        while self._cursor.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else make(parts=tuple(parts))

    def _not(self) -> tree.Node:
        count = 0
        while self._cursor.take("not"):
            count += 1
        node = self._comparison()
        if count == 0:
            return node
        negated = tree.Not(value=node)
        return negated if count % 2 else tree.Not(value=negated)

    def _comparison(self) -> tree.Node:
        first = self._sum()
        rest = []
        while (operator := self._comparing()) is not None:
            rest.append((operator, self._sum()))
        return tree.Comparison(first=first, rest=tuple(rest)) if rest else first

    def _comparing(self) -> str | None:
        if self._cursor.token.text in _COMPARISONS:
            return self._cursor.advance().text
        if self._cursor.stands("not") and self._cursor.ahead(1).text == "in":
            self._cursor.advance()
            self._cursor.advance()
            return "not in"
        if self._cursor.stands("="):
            raise self._cursor.problem("`=` compares nothing", hint="write `==`")
        return None

    def _sum(self) -> tree.Node:
        first = self._piped()
        if self._cursor.token.text not in _ARITHMETIC:  # like most, and there are many
            return first
        return self._arithmetic(self._joined(first), ("+", "-"), self._joined)

    def _joined(self, first: tree.Node | None = None) -> tree.Node:
        parts = [self._product(first)]
        while self._cursor.take("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else tree.Joined(parts=tuple(parts))

    def _product(self, first: tree.Node | None = None) -> tree.Node:
        return self._arithmetic(first or self._piped(), ("*", "/", "//", "%"), self._piped)

    def _arithmetic(self, first: tree.Node, operators: tuple[str, ...], part: Callable[[], tree.Node]) -> tree.Node:
        rest = []
        while self._cursor.token.text in operators:
            rest.append((self._cursor.advance().text, part()))
        if self._cursor.stands("**"):
            raise self._cursor.problem("there is no operator `**`")
        return tree.Arithmetic(first=first, rest=tuple(rest)) if rest else first

    def _piped(self) -> tree.Node:
        negative = self._cursor.take("-")
        base = self._accessed()
        if negative:
            base = tree.Negative(value=base)
        stages: list[tree.Filter | tree.Test] = []
        while self._cursor.stands("|") or self._cursor.stands("is"):
            stages.append(self._filter() if self._cursor.advance().text == "|" else self._test())
        return tree.Pipeline(base=base, stages=tuple(stages)) if stages else base

    # Filters and tests.

    def _filter(self) -> tree.Filter:
        name = self._cursor.word("the name of a filter")
        spec = FILTERS.get(name.text)
        if spec is None:
            raise ExpressionProblem(
                f"unknown filter `{name.text}`", start=name.start, end=name.end, hint=did_you_mean(name.text, FILTERS)
            )
        arguments: list[tree.Node | None] = [None] * len(spec.parameters)
        if self._cursor.take("("):
            self._arguments(name, spec.parameters, arguments)
        if any(argument is None for argument in arguments[: spec.required]):
            needs = ", ".join(spec.parameters[: spec.required])
            raise ExpressionProblem(
                f"the filter `{name.text}` needs arguments",
                start=name.start,
                end=name.end,
                hint=f"write {name.text}({needs})",
            )
        return tree.Filter(name=name.text, arguments=tuple(arguments))

    def _arguments(self, name: Token, parameters: tuple[str, ...], arguments: list[tree.Node | None]) -> None:
        place = 0
        while not self._cursor.take(")"):
            start = self._cursor.token
            if start.kind == "name" and self._cursor.ahead(1).text == "=":
                if start.text not in parameters:
                    hint = did_you_mean(start.text, parameters) or f"it takes: {', '.join(parameters) or 'none'}"
                    raise self._cursor.problem(f"`{name.text}` has no argument `{start.text}`", hint=hint)
                self._cursor.advance()
                self._cursor.advance()
                index = parameters.index(start.text)
            else:
                index, place = place, place + 1
            if index >= len(parameters) or arguments[index] is not None:
                raise ExpressionProblem(
                    f"too many arguments for `{name.text}`",
                    start=start.start,
                    end=start.end,
                    hint=f"it takes: {', '.join(parameters) or 'none'}",
                )
            arguments[index] = self.expression()
            self._cursor.separator(")")

    def _test(self) -> tree.Test:
        negated = self._cursor.take("not")
        name = self._cursor.word("the name of a test")
        if name.text not in PREDICATES:
            raise ExpressionProblem(
                f"unknown test `{name.text}`", start=name.start, end=name.end, hint=did_you_mean(name.text, PREDICATES)
            )
        arguments = self._list(")") if self._cursor.take("(") else ()
        wanted = PREDICATES[name.text][1]
        if len(arguments) != wanted:
            hint = f"write {name.text}('...')" if wanted else f"write `is {name.text}` alone"
            raise ExpressionProblem(
                f"the test `{name.text}` takes {wanted or 'no'} argument{'s'[wanted == 1 :]}",
                start=name.start,
                end=name.end,
                hint=hint,
            )
        return tree.Test(name=name.text, arguments=arguments, negated=negated)

    # Values and their elements.

    def _accessed(self) -> tree.Node:
        start = self._cursor.token
        base = self._path(start) if self._is_name() else self._primary()
        keys: list[tree.Node | tree.Cut] = []
        while self._cursor.stands(".") or self._cursor.stands("["):
            keys.append(tree.Constant(value=self._member()) if self._cursor.take(".") else self._index())
        if self._cursor.stands("("):
            raise self._call(start)
        if not keys:
            return base
        return tree.Access(base=base, keys=tuple(keys), source=self._source[start.start : self._cursor.previous.end])

    def _path(self, start: Token) -> tree.Node:
        keys: list[str | int] = [self._cursor.advance().text]
        while (key := self._constant_key()) is not None:
            keys.append(key)
        if start.text not in self._locals:
            self._known(start)
            self.references.append(Reference(path=tuple(keys), start=start.start, end=self._cursor.previous.end))
            if start.text == "secrets" and (len(keys) == 1 or not isinstance(keys[1], str)):
                raise ExpressionProblem(
                    "secrets are read one by one, by name", start=start.start, end=start.end, hint="write secrets.NAME"
                )
        return tree.Path(keys=tuple(keys))

    def _known(self, name: Token) -> None:
        if name.text in self._names:
            return
        hint = did_you_mean(name.text, self._names | self._locals)
        before = self._source[: name.start]
        if before.endswith("-") and before[-2:-1].isalnum():
            hint = "a key with a dash is written in brackets: headers['x-name']"
        elif self._cursor.stands("("):
            hint = "there are no functions; filters are written `value | filter`"
        raise ExpressionProblem(
            f"unknown name `{name.text}`",
            start=name.start,
            end=name.end,
            hint=hint or f"known are {', '.join(sorted(self._names | self._locals))}; text stands in quotes",
        )

    def _constant_key(self) -> str | int | None:
        """Take `.name`, `['name']` or `[0]` if one stands here."""
        if self._cursor.take("."):
            return self._member()
        if not self._cursor.stands("["):
            return None
        key = self._cursor.ahead(1)
        if key.kind == "constant" and self._cursor.ahead(2).text == "]":
            value = key.value
            if isinstance(value, str | int) and not isinstance(value, bool):
                for _ in range(3):
                    self._cursor.advance()
                return value
        return None

    def _member(self) -> str:
        name = self._cursor.advance()
        if name.kind != "name":
            raise ExpressionProblem(
                "a key is missing after the dot",
                start=name.start,
                end=name.end,
                hint="write [0] or ['a key'] for others",
            )
        return name.text

    def _index(self) -> tree.Node | tree.Cut:
        self._cursor.advance()
        if self._cursor.take(":"):
            return self._cut(None)
        low = self.expression()
        if self._cursor.take(":"):
            return self._cut(low)
        self._cursor.expect("]")
        return low

    def _cut(self, low: tree.Node | None) -> tree.Cut:
        high = None if self._cursor.stands("]") else self.expression()
        self._cursor.expect("]")
        return tree.Cut(low=low, high=high)

    def _call(self, start: Token) -> ExpressionProblem:
        name = self._cursor.previous
        text = self._source[start.start : name.start].rstrip(".")
        hint = "filters are written `value | filter`"
        if name.text in FILTERS and text:
            hint = f"write {text} | {name.text}(...)"
        return ExpressionProblem(f"`{name.text}` cannot be called", start=name.start, end=name.end, hint=hint)

    def _primary(self) -> tree.Node:
        token = self._cursor.token
        if token.kind == "constant":
            return tree.Constant(value=self._cursor.advance().value)
        if token.kind == "name" and token.text in _CONSTANTS:
            return tree.Constant(value=_CONSTANTS[self._cursor.advance().text])
        if self._cursor.take("("):
            node = self.expression()
            self._cursor.expect(")")
            return node
        if self._cursor.take("["):
            return tree.ListOf(items=self._list("]"))
        if self._cursor.take("{"):
            return self._map()
        if token.kind == "end":
            raise self._cursor.problem("the expression ends too early")
        raise self._cursor.problem(f"unexpected `{token.text}`: a value is missing")

    def _list(self, closing: str) -> tuple[tree.Node, ...]:
        items = []
        while not self._cursor.take(closing):
            items.append(self.expression())
            self._cursor.separator(closing)
        return tuple(items)

    def _map(self) -> tree.Node:
        items = []
        while not self._cursor.take("}"):
            key = self._cursor.advance()
            if key.kind != "constant" or not isinstance(key.value, str):
                raise ExpressionProblem(
                    "the key of a map is a text", start=key.start, end=key.end, hint="write {'key': value}"
                )
            self._cursor.expect(":")
            items.append((key.value, self.expression()))
            self._cursor.separator("}")
        return tree.MapOf(items=tuple(items))

    def _is_name(self) -> bool:
        token = self._cursor.token
        return token.kind == "name" and token.text not in _CONSTANTS and token.text not in _WORDS

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            hint = "compute a part in a `set` step"
            raise self._cursor.problem(f"brackets are nested deeper than {MAX_NESTING}", hint)

    # What the blocks of templates need besides.

    def loop(self) -> tuple[tuple[str, ...], tree.Node]:
        """Return what `{% for a, b in list %}` says: the variables and the list."""
        variables = [self._variable()]
        if self._cursor.take(","):
            variables.append(self._variable())
        self._cursor.expect("in")
        elements = self._chain("or", tree.Any, self._all)
        if self._cursor.stands("if"):
            raise self._cursor.problem("unexpected `if`", "put {% if %} inside the loop")
        self._cursor.end()
        return tuple(variables), elements

    def nothing(self) -> None:
        """Make sure that there is no expression.

        Raises:
            ExpressionProblem: There is one.
        """
        self._cursor.end()

    def _variable(self) -> str:
        token = self._cursor.word("the name of a variable")
        if token.text in _WORDS | _CONSTANTS.keys() | NAMES | {"loop"}:
            raise ExpressionProblem(
                f"`{token.text}` cannot name a variable", start=token.start, end=token.end, hint="choose another name"
            )
        return token.text
