from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from hooksd.model.source import Sources

SOURCES: TypeAdapter[tuple[str, ...]] = TypeAdapter(Sources)


def test_one_source_is_a_list_of_one() -> None:
    assert SOURCES.validate_python("header:X-Event") == ("header:X-Event",)


def test_several_sources_keep_their_order() -> None:
    assert SOURCES.validate_python(["json:type", "const:pushed"]) == ("json:type", "const:pushed")


@pytest.mark.parametrize("nothing", ["", [], [""]])
def test_an_empty_source_is_none_in_place_of_a_presets(nothing: object) -> None:
    assert SOURCES.validate_python(nothing) == ()


@pytest.mark.parametrize("wrong", ["cookie:x", ["header:X", "cookie:x"], 7, [7], None])
def test_what_is_no_place_of_a_request_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        SOURCES.validate_python(wrong)
