from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.auth.layout import MAX_CANDIDATES, Laid, placeholders, reader
from hooksd.auth.refusal import Refusal


def read(layout: str, value: str, separator: str | None = None) -> Laid:
    return reader(layout, separator)(value)


@pytest.mark.parametrize(
    ("layout", "separator", "value", "signatures"),
    [
        ("{signature}", None, "abc", ("abc",)),
        ("sha256={signature}", None, "sha256=abc", ("abc",)),
        ("sha256={signature}", None, "sha1=abc", ()),
        ("sha256={signature}", None, "sha256=", ()),
        ("v1,{signature}", " ", "v1,a v2,b v1,c", ("a", "c")),
        ("v1={signature}", ",", "v1=a, v1=b", ("a", "b")),
        ("<{signature}>", None, "<a>", ("a",)),
        ("<{signature}>", None, "<>", ()),
        ("{signature}", None, "a b", ("a b",)),
    ],
)
def test_signatures_stand_where_the_layout_shows(
    layout: str, separator: str | None, value: str, signatures: tuple[str, ...]
) -> None:
    assert read(layout, value, separator).signatures == signatures


def test_pairs_are_read_in_any_order_and_unknown_ones_are_ignored() -> None:
    laid = read("t={timestamp},v1={signature}", "v0=zz, v1=b,t=5,v1=c,x")

    assert laid == Laid(signatures=("b", "c"), timestamp="5")


def test_the_separator_of_pairs_is_the_one_that_the_layout_shows() -> None:
    assert read("ts={timestamp};h1={signature}", "ts=5;h1=a") == Laid(signatures=("a",), timestamp="5")
    assert read("t={timestamp}, id={id}, v1={signature}", "t=5, id=x, v1=a") == Laid(
        signatures=("a",), timestamp="5", id="x"
    )
    assert read("t={timestamp} v1={signature}", "t=5|v1=a", "|") == Laid(signatures=("a",), timestamp="5")


def test_base64_may_end_with_its_own_equals_signs() -> None:
    assert read("t={timestamp},v1={signature}", "t=5,v1=YWI=").signatures == ("YWI=",)


def test_two_times_are_refused() -> None:
    with pytest.raises(Refusal, match="malformed_signature"):
        read("t={timestamp},v1={signature}", "t=5,t=6,v1=a")


def test_only_so_many_candidates_are_kept() -> None:
    assert len(read("v1,{signature}", " ".join(["v1,a"] * 99), " ").signatures) == MAX_CANDIDATES
    assert len(read("t={timestamp},v1={signature}", "v1=a," * 99).signatures) == MAX_CANDIDATES


def test_placeholders_are_the_names_in_braces() -> None:
    assert placeholders("t={timestamp},v1={signature}") == ("timestamp", "signature")


@given(st.sampled_from(["sha256={signature}", "t={timestamp},v1={signature}"]), st.text("tv1=, ;a", max_size=40))
def test_any_header_is_read_or_refused(layout: str, value: str) -> None:
    try:
        laid = read(layout, value)
    except Refusal:
        return
    assert all(laid.signatures)
