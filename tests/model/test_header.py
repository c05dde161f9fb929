from __future__ import annotations

import pytest

from hooksd.model.header import header_problem, name_problem


@pytest.mark.parametrize("name", ["X-Env", "x", "!#$%&'*+.^_`|~"])
def test_a_name_is_a_token(name: str) -> None:
    assert name_problem(name) is None
    assert header_problem(name, "prod, ä\t1") is None


@pytest.mark.parametrize("name", ["", "X Env", "X:", "X\r\nY", "Ä", "x\n"])
def test_anything_else_is_no_name(name: str) -> None:
    assert "cannot be the name of a header" in str(name_problem(name))


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "CONNECTION", "Upgrade"])
def test_where_a_message_ends_is_for_the_client_to_say(name: str) -> None:
    assert "set by hooksd alone" in str(name_problem(name))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\x00", "\x7f", "\ud800"])
def test_a_value_that_breaks_out_is_refused_without_being_shown(value: str) -> None:
    problem = str(header_problem("X-Env", value))

    assert "the header X-Env holds" in problem
    assert "Evil" not in problem
