from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.patterns import can_overlap, matches

PATTERNS = st.text("ab*", max_size=6)
TEXTS = st.text("ab", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("github.push", "github.push"),
        ("github.*", "github.pull_request.opened"),
        ("*", ""),
        ("*.failed", "workflow.deploy.failed"),
        ("workflow.*.failed", "workflow.a.b.failed"),
        ("a**b", "ab"),
        ("*\n*", "line\nline"),
    ],
)
def test_a_star_stands_for_any_characters_dots_included(pattern: str, text: str) -> None:
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("github.*", "github"), ("a*a", "a"), ("github.push", "github.push2"), ("a.c", "abc"), ("[a]", "a"), ("", "a")],
)
def test_everything_but_the_star_stands_for_itself(pattern: str, text: str) -> None:
    assert not matches(pattern, text)


@given(PATTERNS, TEXTS)
def test_matching_is_what_a_regular_expression_would_say(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern.replace("*", ".*"), text) is not None

    assert matches(pattern, text) is expected


@given(PATTERNS, PATTERNS, TEXTS)
def test_patterns_that_share_a_text_overlap(one: str, other: str, text: str) -> None:
    if matches(one, text) and matches(other, text):
        assert can_overlap(one, other)


@given(st.text("ab*", max_size=3), st.text("ab*", max_size=3))
def test_patterns_that_overlap_share_a_text(one: str, other: str) -> None:
    length = len(one) + len(other)
    texts = [""]
    for _ in range(length):
        texts += [text + letter for text in texts for letter in "ab" if len(text) < length]
        texts = list(dict.fromkeys(texts))

    shared = any(matches(one, text) and matches(other, text) for text in texts)

    assert can_overlap(one, other) is shared


def test_patterns_overlap_where_neither_contains_the_other() -> None:
    assert can_overlap("github.*", "*.opened")
    assert not can_overlap("github.*", "gitlab.*")


def test_a_long_text_of_a_caller_cannot_make_matching_slow() -> None:
    begun = time.process_time()

    matches("*a" * 30 + "b", "a" * 200_000)

    assert time.process_time() - begun < 1
