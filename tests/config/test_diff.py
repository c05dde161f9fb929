from __future__ import annotations

import pytest

from hooksd.config.diff import Difference, compare, is_mass_removal
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.record import Origin
from hooksd.model.role import Role


def roles(**digests: str) -> Definitions:
    return Definitions(
        roles={
            name: Defined(
                name=name,
                value=Role(),
                origin=Origin(file="roles.toml", line=1),
                document={},
                digest=f"sha256:{digest}",
            )
            for name, digest in digests.items()
        }
    )


def named(count: int) -> Definitions:
    return roles(**{f"r{number}": "0" for number in range(count)})


def test_a_difference_names_what_was_added_changed_and_removed_in_order() -> None:
    old = roles(kept="1", changed="1", gone="1", away="1")
    new = roles(kept="1", changed="2", fresh="1", fine="1")
    assert compare(old, new) == Difference(
        added=("role/fine", "role/fresh"), changed=("role/changed",), removed=("role/away", "role/gone")
    )


def test_against_nothing_everything_is_added() -> None:
    assert compare(None, roles(a="1")) == Difference(added=("role/a",))


def test_equal_sets_have_no_difference() -> None:
    assert not compare(named(3), named(3))
    assert compare(named(3), named(4))


def test_a_definition_that_only_moved_has_not_changed() -> None:
    moved = Definitions(
        roles={
            "a": Defined(name="a", value=Role(), origin=Origin(file="b.toml", line=9), document={}, digest="sha256:1")
        }
    )
    assert not compare(roles(a="1"), moved)


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        (0, 0, False),
        (0, 3, False),
        (1, 0, True),
        (4, 1, False),
        (4, 0, True),
        (5, 3, False),
        (5, 2, True),
        (6, 3, False),
        (6, 2, True),
        (100, 49, True),
        (100, 50, False),
    ],
)
def test_a_set_is_held_when_nothing_or_less_than_half_of_five_or_more_is_left(
    before: int, after: int, *, is_held: bool
) -> None:
    assert is_mass_removal(named(before), compare(named(before), named(after))) is is_held


def test_replacing_most_of_a_large_set_is_a_mass_removal_too() -> None:
    old, new = named(6), roles(a="1", b="1", c="1", d="1", e="1", f="1")
    assert is_mass_removal(old, compare(old, new))


def test_replacing_the_only_definition_is_not() -> None:
    old, new = roles(a="1"), roles(b="1")
    assert not is_mass_removal(old, compare(old, new))


def test_the_first_set_removes_nothing() -> None:
    assert not is_mass_removal(None, compare(None, named(0)))
