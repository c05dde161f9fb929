from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr import text_filters as filters
from hooksd.expr.problem import RenderProblem
from hooksd.expr.scope import MAX_TEXT
from hooksd.expr.template import compile_template


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'é' | upper", "É"),
        ("'É' | lower", "é"),
        ("'hELLO you' | capitalize", "Hello you"),
        ("'hello you' | title", "Hello You"),
        ("'  a b \\n' | trim", "a b"),
        ("'/a/' | trim('/')", "a"),
        ("'refs/tags/v1' | startswith('refs/tags/')", True),
        ("'a.png' | endswith('.jpg')", False),
        ("'a{sha}b{sha}' | replace('{sha}', 1)", "a1b1"),
        ("'a-b' | replace('-', null)", "ab"),
        ("'a,b,,c' | split(',')", ["a", "b", "", "c"]),
        ("' a  b ' | split", ["a", "b"]),
        ("'a\\nb\\r\\nc' | lines", ["a", "b", "c"]),
        ("'abcdef' | truncate(4)", "abc…"),
        ("'abcdef' | truncate(6)", "abcdef"),
        ("'abcdef' | truncate(4, end='...')", "a..."),
        ("'abcdef' | truncate(0)", ""),
        ("'a\\n\\nb' | indent(2)", "a\n\n  b"),
        ("'a b/ö&' | urlencode", "a%20b%2F%C3%B6%26"),
        ("{'a b': 1, 'c': 'x&y'} | urlencode", "a%20b=1&c=x%26y"),
        ("null | urlencode", ""),
        ("{'a': [null, true]} | tojson", '{"a":[null,true]}'),
        ("'a' | tojson", '"a"'),
        ("'{\"a\": 1}' | fromjson", {"a": 1}),
        ("'é' | b64encode", "w6k="),
        ("'w6k=' | b64decode", "é"),
        ("'' | sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("true | string", "true"),
        ("'42' | int", 42),
        ("' -7 ' | int", -7),
        ("2.9 | int", 2),
        ("'2.9' | int", 2),
        ("'18446744073709551615' | int", 2**64 - 1),
        ("true | int", 1),
        ("'2.5' | float", 2.5),
        ("2 | float", 2.0),
    ],
)
def test_filters_over_text_do_what_their_names_say(source: str, expected: Any) -> None:
    found = compile_template("{{ " + source + " }}").render({})

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (filters.upper, [1], "`upper` takes text, not a number"),
        (filters.split, ["a", ""], "not empty"),
        (filters.replace, ["a", "", "b"], "empty text"),
        (filters.replace, ["a" * 2000, "a", "b" * 1000], "longer"),
        (filters.indent, ["a\nb", MAX_TEXT], "longer"),
        (filters.indent, ["a", -1], "whole number"),
        (filters.truncate, ["a", True], "whole number"),
        (filters.fromjson, ["{"], "not JSON"),
        (filters.fromjson, [b"1"], "takes text"),
        (filters.fromjson, ["[" * 500 + "]" * 500], "not JSON"),
        (filters.b64decode, ["w6k"], "not base64"),
        (filters.b64decode, ["/w=="], "not base64 of UTF-8"),
        (filters.sha256, ["\ud800"], "UTF-8"),
        (filters.to_int, ["a"], "not a number"),
        (filters.to_int, ["1_0"], "not a number"),
        (filters.to_int, [[]], "a list is not a number"),
        (filters.to_int, ["9" * 30], "too large"),
        (filters.to_float, ["nan"], "not a number"),
        (filters.to_float, ["1e999"], "not a number"),
        (filters.to_float, [None], "null is not a number"),
    ],
)
def test_filters_over_text_refuse_what_does_not_fit(function: Any, arguments: list[Any], message: str) -> None:
    with pytest.raises(RenderProblem) as caught:
        function(*arguments)

    assert message in caught.value.message


@given(st.text())
def test_base64_and_json_come_back(text: str) -> None:
    assert filters.b64decode(filters.b64encode(text)) == text
    assert filters.fromjson(filters.tojson(text)) == text
    assert orjson.loads(filters.tojson([text])) == [text]


@given(st.text(max_size=30), st.integers(0, 40))
def test_a_truncated_text_is_never_longer(text: str, length: int) -> None:
    assert len(filters.truncate(text, length)) <= length
