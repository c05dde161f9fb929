"""JSON Schemas that bodies must fit: compiled when definitions are loaded, asked by the receiver.

A schema is one file below `schemas/` in the directory of definitions. It refers to nothing outside of itself: nothing
is ever fetched.

Source: JSON Schema draft 4 to 2020-12, by jsonschema-rs; without `$schema` it is 2020-12.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any, Final

from hooksd.config.position import Path
from hooksd.model.base import Json

FOLDER: Final = "schemas/"
"""Where schemas stand, relative to the directory of definitions."""
MOST: Final = 10
"""Violations that are told: who sends a thousand learns of the first ten."""
_LONGEST: Final = 200
_OUTSIDE: Final = re.compile(r"Resource '(.{1,200}?)' is not present")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SchemaProblem(Exception):
    """A schema that cannot be used.

    Attributes:
        message: What is wrong with it.
        path: Where in the schema.
    """

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that is wrong with a body."""

    path: str
    """Where, as a JSONPath: `$.items[0].price`. Source: RFC 9535, normalized but for plain names, which stand bare."""
    message: str
    """For the caller."""


def is_schema(file: str, document: Json) -> bool:
    """Tell whether a file is a schema and no file of definitions: those state their `version`."""
    return file.startswith(FOLDER) and file.endswith(".json") and "version" not in document


class BodySchema:
    """A compiled schema."""

    __slots__ = ("_validator", "document")

    def __init__(self, document: Json) -> None:
        """Compile a schema.

        Raises:
            SchemaProblem: It is none, or refers to something outside of itself.
        """
        self.document = document
        # It takes 8 MB and 60 ms to be there, which daemons without a schema need not spend.
        rust: Any = importlib.import_module("jsonschema_rs")
        try:
            self._validator = rust.validator_for(document, offline=True, validate_formats=True)
        except rust.ValidationError as error:
            raise SchemaProblem(_explained(error.message), tuple(error.instance_path)) from error
        except ValueError as error:
            raise SchemaProblem(_short(str(error)), ()) from error

    def violations(self, data: Json) -> tuple[Violation, ...]:
        """Return what is wrong with a body, at most `MOST` things; nothing when it fits."""
        if self._validator.is_valid(data):
            return ()
        found: list[Violation] = []
        for error in self._validator.iter_errors(data):
            found.append(Violation(path=json_path(error.instance_path), message=_short(error.message)))
            if len(found) == MOST:
                break
        return tuple(found)


def json_path(parts: list[str | int]) -> str:
    """Write a place in a JSON value as a JSONPath."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _PLAIN.fullmatch(part):
        return f".{part}"
    return "['" + part[:_LONGEST].replace("\\", "\\\\").replace("'", "\\'") + "']"


def _explained(message: str) -> str:
    outside = _OUTSIDE.search(message)
    return f"it refers to {outside[1]}, and nothing outside of the file is read" if outside else _short(message)


def _short(message: str) -> str:
    line = " ".join(message.split("\n\nFailed validating", 1)[0].split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
