from __future__ import annotations

from hooksd.config.checks.written import raw_steps, text_of, texts_of


def test_steps_are_found_in_all_three_lists_and_what_is_no_table_is_left_out() -> None:
    table = {"steps": [{"a": 1}, "x", {"b": 2}], "on_failure": {"c": 3}, "finally": [{"d": 4}]}
    assert list(raw_steps(table)) == [("steps", 0, {"a": 1}), ("steps", 2, {"b": 2}), ("finally", 0, {"d": 4})]


def test_texts_are_found_alone_and_in_lists_with_their_paths() -> None:
    assert list(texts_of("a", ("x",))) == [(("x",), "a")]
    assert list(texts_of(["a", 1, "b"], ("x",))) == [(("x", 0), "a"), (("x", 2), "b")]
    assert list(texts_of({"a": "b"}, ("x",))) == []


def test_only_a_text_is_a_text() -> None:
    assert text_of({"a": "b"}, "a") == "b"
    assert text_of({"a": 1}, "a") is None
    assert text_of({}, "a") is None
