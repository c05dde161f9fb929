from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from hooksd.model.base import Definition, Name, Names, keys_of, one_or_many


class Thing(Definition):
    name: Name
    many: Names = Field(default=(), alias="more")


def test_a_definition_refuses_unknown_keys_and_cannot_be_changed() -> None:
    thing = Thing(name="a")

    with pytest.raises(ValidationError, match="extra"):
        Thing.model_validate({"name": "a", "nmae": "b"})
    with pytest.raises(ValidationError, match="frozen"):
        thing.name = "b"  # type: ignore[misc] # that is the point


@pytest.mark.parametrize("name", ["a", "0", "deploy-app", "a.b_c"])
def test_names_are_letters_digits_and_some_marks(name: str) -> None:
    assert Thing(name=name).name == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a\n", "ä", "a" * 129])
def test_nothing_else_is_a_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Thing(name=name)


def test_one_name_may_stand_for_a_list() -> None:
    assert Thing.model_validate({"name": "a", "more": "b"}).many == ("b",)
    assert one_or_many(["a"]) == ["a"]


def test_the_keys_of_a_model_are_those_of_the_file() -> None:
    assert keys_of(Thing) == {"name", "more"}


@pytest.mark.parametrize("value", [3, True, None, {"a": 1}])
def test_what_is_neither_a_text_nor_a_list_is_told_that_both_are_possible(value: object) -> None:
    with pytest.raises(ValidationError, match="a text or a list of texts"):
        Thing.model_validate({"name": "a", "more": value})
