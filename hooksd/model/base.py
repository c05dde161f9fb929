"""What every definition model shares: frozen, unknown keys refused, names checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from hooksd.model.plain import Json

__all__ = [
    "NAME_PATTERN",
    "Definition",
    "Expression",
    "Json",
    "Name",
    "Names",
    "Template",
    "Texts",
    "keys_of",
    "one_or_many",
]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=128)]
"""The name of a webhook, endpoint, workflow, role or step."""

Template = Annotated[str, StringConstraints(max_length=65536)]
"""Text in which `{{ expression }}` is replaced when it is used."""

Expression = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""A bare expression, without braces: `body.ref == 'refs/heads/main'`."""


def one_or_many(value: object) -> object:
    """Let a file write one string where a list is meant.

    Raises:
        PydanticCustomError: It is neither.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("text_or_texts", "expected a text or a list of texts")
    return value


Names = Annotated[tuple[Name, ...], BeforeValidator(one_or_many, json_schema_input_type=Name | list[Name])]
Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]


class Definition(BaseModel):
    """A value that came from a file of definitions."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, use_attribute_docstrings=True)


def keys_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the keys that files may write for a model: aliases where there are some."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())
