from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.expr.condition import compile_condition
from hooksd.expr.names import closest, did_you_mean, members_of, unknown_members

REFERENCES = compile_condition(
    "steps.build.ok and steps.bild.output == vars.x and steps['build'].status == 0"
).references


def test_the_members_of_a_name_are_what_stands_behind_its_dot() -> None:
    assert members_of(REFERENCES, "steps") == {"build", "bild"}
    assert members_of(REFERENCES, "body") == set()


def test_unknown_members_are_told_with_their_places() -> None:
    unknown = unknown_members(REFERENCES, "steps", {"build"})

    assert [(reference.name, reference.start) for reference in unknown] == [("steps.bild.output", 19)]


def test_the_nearest_word_is_meant() -> None:
    assert closest("bild", {"build", "deploy"}) == "build"
    assert closest("BUILD", {"build"}) == "build"
    assert closest("xyz", {"build"}) is None
    assert closest("", {"build"}) is None
    assert did_you_mean("bild", {"build"}) == "did you mean `build`?"
    assert did_you_mean("xyz", {"build"}) is None


@given(st.text(max_size=300), st.sets(st.text(max_size=10), max_size=5))
def test_only_a_known_word_is_ever_meant(word: str, known: set[str]) -> None:
    assert closest(word, known) in {None, *known}
