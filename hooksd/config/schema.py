"""JSON Schemas of the two public formats, made from the models: definitions for editors, records for programs.

`hooksd schema` writes what `documents` returns to `schemas/`, and CI fails when the two differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from hooksd.auth.presets import preset_names
from hooksd.model.file import DefinitionFile, WorkflowFile
from hooksd.model.record import Record
from hooksd.model.units import DURATION_PATTERN, SIZE_PATTERN, format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEAL_PATTERN = r"^[0-9]+\.[0-9]+\.[0-9a-f]{8}\.[0-9a-f]{8}$"
"""The last member of each record: number, batch, check sum of the record before, and its own."""

Schema = dict[str, Any]


def definitions_schema() -> Schema:
    """Return the schema of a file of definitions: one workflow, or any number of definitions in tables."""
    references, schema = models_json_schema([(WorkflowFile, "validation"), (DefinitionFile, "validation")])
    definitions = {name: _tidy(item, nulls=False) for name, item in schema["$defs"].items()}
    definitions["Webhook"]["properties"]["limits"].pop("default")  # in bytes; its own keys say theirs with a unit
    definitions["PresetAuth"]["properties"]["preset"]["enum"] = list(preset_names())
    return {
        "$schema": DIALECT,
        "title": "hooksd definitions, version 1",
        "description": "A file in hooks.d: webhooks, workflows, endpoints and roles.",
        "oneOf": [references[WorkflowFile, "validation"], references[DefinitionFile, "validation"]],
        "$defs": definitions,
    }


def record_schema() -> Schema:
    """Return the schema of one line of the delivery log. Records may have members that it does not know yet."""
    schema = TypeAdapter[Record](Record).json_schema(mode="serialization")
    definitions = {name: _tidy(item, nulls=True) for name, item in schema["$defs"].items()}
    kinds = [item["$ref"] for item in schema["anyOf"]]
    for kind in kinds:
        record = definitions[kind.removeprefix("#/$defs/")]
        record["properties"]["type"].pop("default", None)
        record["properties"]["_"] = {
            "type": "string",
            "pattern": SEAL_PATTERN,
            "description": "The seal: number, batch, check sum of the record before, and its own.",
        }
        record["required"] = sorted({*record.get("required", ()), "type", "_"})
    return {
        "$schema": DIALECT,
        "title": "hooksd records, version 1",
        "description": "One line of the delivery log.",
        "oneOf": [{"$ref": kind} for kind in kinds],
        "$defs": definitions,
    }


def documents() -> Mapping[str, bytes]:
    """Return the content of every file in `schemas/` by its name."""
    schemas = {"hooks.v1.schema.json": definitions_schema(), "record.v1.schema.json": record_schema()}
    return {name: (json.dumps(schema, indent=2) + "\n").encode() for name, schema in schemas.items()}


_TABLES = ("properties", "patternProperties", "$defs")
"""Keys of a schema whose value is a table of schemas by names that are not the schema's words."""


def _tidy(schema: Any, *, nulls: bool) -> Any:
    """Write a schema as people would.

    Args:
        schema: A schema, or something in one.
        nulls: Keep null where it is the default: records have every member, files leave keys out.
    """
    if isinstance(schema, list):
        return [_tidy(item, nulls=nulls) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        key: {name: _tidy(item, nulls=nulls) for name, item in value.items()}
        if key in _TABLES
        else _tidy(value, nulls=nulls)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }
    description = tidy.get("description")
    if isinstance(description, str):
        tidy["description"] = " ".join(description.split())
    return _closed(_with_units(tidy if nulls else _without_null(tidy)))


def _without_null(schema: Schema) -> Schema:
    """Drop null where it is the default: a file leaves the key out."""
    if "default" not in schema or schema["default"] is not None:
        return schema
    kept = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("default", "anyOf")}
    if len(kept) == 1:
        return {**kept[0], **rest}
    return {**rest, "anyOf": kept} if kept else rest


def _with_units(schema: Schema) -> Schema:
    """Write the default of a duration or size as files do."""
    default = schema.get("default")
    if schema.get("pattern") == DURATION_PATTERN and isinstance(default, int | float):
        return {**schema, "default": format_duration(default)}
    if schema.get("pattern") == SIZE_PATTERN and isinstance(default, int):
        return {**schema, "default": f"{default // 2**20}MiB"}
    return schema


def _closed(schema: Schema) -> Schema:
    """Refuse names that fit no pattern."""
    if "patternProperties" not in schema:
        return schema
    return {**schema, "additionalProperties": False}
