from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.body_schema import MOST, BodySchema, SchemaProblem, is_schema, json_path
from hooksd.model.base import Json

LEAD: Json = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "items": {"type": "array", "items": {"properties": {"price": {"type": "number"}}}},
    },
}


def test_a_body_that_fits_violates_nothing() -> None:
    assert BodySchema(LEAD).violations({"email": "ada@example.com", "items": [{"price": 1}]}) == ()


def test_each_violation_says_where_and_what() -> None:
    found = BodySchema(LEAD).violations({"email": "nobody", "items": [{"price": 1}, {"price": "2"}]})

    assert {item.path: item.message for item in found} == {
        "$.email": '"nobody" is not a "email"',
        "$.items[1].price": '"2" is not of type "number"',
    }


def test_what_is_missing_is_told_of_what_it_misses_in() -> None:
    assert [(item.path, item.message) for item in BodySchema(LEAD).violations({})] == [
        ("$", '"email" is a required property')
    ]


def test_only_the_first_violations_are_told_and_in_few_words() -> None:
    found = BodySchema({"items": {"type": "string"}}).violations([[1] * 1000] * 50)

    assert len(found) == MOST
    assert all(len(item.message) < 250 for item in found)


@pytest.mark.parametrize(
    ("document", "message", "path"),
    [
        ({"type": "strin"}, '"strin" is not valid', ("type",)),
        ({"properties": {"a": {"minimum": "x"}}}, '"x" is not of type "number"', ("properties", "a", "minimum")),
        ({"pattern": "("}, "regex", ("pattern",)),
        ({"$ref": "#/$defs/x"}, "does not exist", ()),
        ({"$schema": "https://example.com/mine"}, "Unknown meta-schema", ()),
    ],
)
def test_what_is_no_schema_is_refused_with_the_place(document: Json, message: str, path: tuple[str, ...]) -> None:
    with pytest.raises(SchemaProblem, match=message) as caught:
        BodySchema(document)

    assert caught.value.path == path


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "other.json"])
def test_nothing_outside_of_a_schema_is_fetched(reference: str) -> None:
    with pytest.raises(SchemaProblem, match="nothing outside of the file"):
        BodySchema({"$ref": reference})


def test_no_text_makes_a_pattern_take_long() -> None:
    schema = BodySchema({"pattern": r"^(a+)+$"})
    began = time.process_time()

    assert schema.violations("a" * 50_000 + "b")

    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("file", "document", "is_one"),
    [
        ("schemas/lead.json", {"type": "object"}, True),
        ("schemas/deep/lead.json", {}, True),
        ("schemas/lead.json", {"version": 1}, False),
        ("schemas/lead.toml", {}, False),
        ("lead.json", {"type": "object"}, False),
    ],
)
def test_schemas_stand_in_their_folder_and_have_no_version(file: str, document: Json, is_one: bool) -> None:  # noqa: FBT001
    assert is_schema(file, document) is is_one


def test_places_are_json_paths() -> None:
    assert json_path([]) == "$"
    assert json_path(["a", 0, "b c", "d'e\\"]) == "$.a[0]['b c']['d\\'e\\\\']"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_whatever_the_body_is_it_is_judged(data: Json) -> None:
    assert isinstance(BodySchema(LEAD).violations(data), tuple)
