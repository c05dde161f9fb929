from __future__ import annotations

from hooksd.config.kinds import found


def test_kinds_of_values_are_named_in_plain_words() -> None:
    values = [True, "x", 1, 1.5, [], {}, None]
    assert [found(value) for value in values] == [
        "`true`", "a text", "a number", "a number", "a list", "a table", "null",
    ]  # fmt: skip
