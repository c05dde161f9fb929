from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hooksd.model.auth import Auth, HmacAuth, PresetAuth, auth_kind

AUTH: TypeAdapter[Any] = TypeAdapter(Auth)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"preset": "github"}, "preset"),
        ({"type": "hmac"}, "hmac"),
        ({}, None),
        ("github", None),
        (PresetAuth(preset="github"), "preset"),
        (HmacAuth(type="hmac"), "hmac"),
    ],
    ids=["preset", "type", "neither", "text", "preset model", "type model"],
)
def test_a_table_means_the_preset_or_the_type_that_it_names(value: object, kind: str | None) -> None:
    assert auth_kind(value) == kind


def test_a_table_that_names_neither_is_told_what_to_say() -> None:
    with pytest.raises(ValidationError, match="say how callers prove who they are"):
        AUTH.validate_python({})


def test_one_reference_may_stand_for_a_list_of_them() -> None:
    one = AUTH.validate_python({"type": "hmac", "secret": "env:A", "event": "header:X"})

    assert one.secrets == ("env:A",)
    assert one.event == ("header:X",)


@pytest.mark.parametrize("written", ["", [], [""]])
def test_an_empty_place_is_none(written: object) -> None:
    found = AUTH.validate_python({"type": "hmac", "secret": "env:A", "event": written, "id": written})

    assert found.event == found.id == ()


def test_a_preset_tells_which_keys_the_file_wrote() -> None:
    preset = AUTH.validate_python({"preset": "stripe", "secret": ["env:A"], "tolerance": "1m"})

    assert preset.overrides() == {"secret": ("env:A",), "tolerance": 60.0}


@pytest.mark.parametrize("source", ["cookie:x", "header", "x"])
def test_a_source_is_one_of_the_known_places(source: str) -> None:
    with pytest.raises(ValidationError):
        AUTH.validate_python({"type": "token", "secret": "env:A", "token": source})
