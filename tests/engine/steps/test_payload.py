from __future__ import annotations

import pytest

from hooksd.engine.steps.payload import header_problem


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a\0"])
def test_what_is_not_a_token_is_no_name_of_a_header(name: str) -> None:
    assert header_problem({name: "x"}) is not None


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "\x7f", "ü"])
def test_a_value_that_would_break_the_message_is_refused(value: str) -> None:
    problem = header_problem({"X-A": value})

    assert problem is not None
    assert "X-A" in problem.error


def test_tabs_and_everything_visible_may_be_sent() -> None:
    assert header_problem({"X-A_b.c!": "a\tb ~ {}"}) is None
