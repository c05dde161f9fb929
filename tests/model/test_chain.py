from __future__ import annotations

from hooksd.model.chain import MAX_MARKS, VIA, mark_of, marks_of


def test_endpoints_of_one_name_that_lead_elsewhere_have_different_marks() -> None:
    here, there = mark_of("partner", "https://a.example/"), mark_of("partner", "https://b.example/")

    assert here != there
    assert marks_of({VIA: f"{here}, {there}"}) == (here, there)


def test_what_is_no_mark_is_left_out() -> None:
    mark = mark_of("partner", "https://a.example/")

    assert marks_of({VIA: f"proxy 1.1, {mark}, \x00"}) == (mark,)
    assert marks_of({}) == ()


def test_a_caller_cannot_make_a_chain_without_end() -> None:
    assert len(marks_of({VIA: ", ".join(mark_of(str(number), "") for number in range(10_000))})) == MAX_MARKS
