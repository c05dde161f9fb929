"""Where values of a request are, as definitions write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from hooksd.model.base import one_or_many

Source = Annotated[str, Field(pattern=r"^((header|query|form|json\??|const):.*|method|url|)$")]
"""Where a value of the request is: `header:X`, `query:x`, `form:x`, `json:a.b`, `const:x`, `method` or `url`.

In `json:`, `*` is every element of a list, and all of them must be the same.
"""


def _named(value: object) -> object:
    some = one_or_many(value)
    return tuple(source for source in some if source != "") if isinstance(some, list | tuple) else some


Sources = Annotated[tuple[Source, ...], BeforeValidator(_named, json_schema_input_type=Source | list[Source])]
"""One source or several; an empty one is none, in place of a preset's."""
