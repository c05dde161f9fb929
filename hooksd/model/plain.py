"""JSON data as it is. Apart from the models, so that commands which only read the log start fast."""

from __future__ import annotations

from typing import Annotated, Any


class _Anything:
    """Tells pydantic that the schema of JSON data allows everything."""

    def __get_pydantic_json_schema__(self, core_schema: object, handler: object) -> dict[str, Any]:
        return {"additionalProperties": True}


Json = Annotated[Any, _Anything()]
"""A JSON value: null, boolean, number, string, list or string-keyed mapping of these."""
