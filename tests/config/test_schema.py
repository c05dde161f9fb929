from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import tomli
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types of its own

from hooksd.config.schema import definitions_schema, documents, record_schema
from hooksd.journal.codec import encode
from hooksd.model.record import ConfigHeld, RunStarted, SegmentStarted
from hooksd.model.step import VERBS

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
DEFINITIONS = Draft202012Validator(definitions_schema())
RECORDS = Draft202012Validator(record_schema())

WRONG_SHAPE = ("later-version", "types", "unknown-key", "unknown-key-in-json", "verbs", "version", "wrong-level")
"""Golden cases in which every file but those named here breaks the schema."""
RIGHT_SHAPE = {"wrong-level/in.toml", "verbs/roles.toml", "types/Bad_name_é.toml"}


def trees(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*.toml")):
        yield path.name, tomli.loads(path.read_text(encoding="utf-8"))
    for path in sorted(folder.rglob("*.json")):
        yield path.name, json.loads(path.read_text(encoding="utf-8"))


def test_the_schemas_in_the_repository_are_the_generated_ones() -> None:
    for name, content in documents().items():
        assert (ROOT / "schemas" / name).read_bytes() == content, f"run `hooksd schema` to write {name}"


def test_the_schemas_are_schemas() -> None:
    for content in documents().values():
        Draft202012Validator.check_schema(json.loads(content))


@pytest.mark.parametrize("folder", [ROOT / "hooks.d", GOLDEN / "correct", GOLDEN / "names", GOLDEN / "roles"])
def test_every_valid_file_fits_the_schema(folder: Path) -> None:
    for name, tree in trees(folder):
        assert list(DEFINITIONS.iter_errors(tree)) == [], name


@pytest.mark.parametrize("case", WRONG_SHAPE)
def test_every_file_of_the_wrong_shape_breaks_the_schema(case: str) -> None:
    for name, tree in trees(GOLDEN / case):
        if f"{case}/{name}" not in RIGHT_SHAPE:
            assert list(DEFINITIONS.iter_errors(tree)), name


@pytest.mark.parametrize("verb", VERBS)
def test_a_step_has_exactly_one_verb(verb: str) -> None:
    values: dict[str, Any] = {"run": ["x"], "http": "GET https://x", "send": "x", "set": {"a": 1}, "sleep": "1s"}
    more: dict[str, Any] = {"save": {"to": "x"}, "mail": {"subject": "x", "text": "x"}}
    step = {verb: values.get(verb, "x"), **more.get(verb, {})}
    other = "fail" if verb != "fail" else "shell"
    file = {"version": 1, "on": "manual", "steps": [step]}
    assert DEFINITIONS.is_valid(file)
    assert not DEFINITIONS.is_valid({**file, "steps": [{**step, other: "x"}]})
    assert not DEFINITIONS.is_valid({**file, "steps": [{}]})


def test_a_file_may_name_its_schema() -> None:
    assert DEFINITIONS.is_valid({"$schema": "../schemas/hooks.v1.schema.json", "version": 1})


@pytest.mark.parametrize("kind", ["webhooks", "endpoints", "workflows", "roles"])
def test_a_definition_with_a_bad_name_breaks_the_schema(kind: str) -> None:
    table = {"webhooks": {"auth": {"type": "none"}}, "endpoints": {"url": "https://x"}, "roles": {}}.get(
        kind, {"on": "manual", "steps": [{"fail": "x"}]}
    )
    assert DEFINITIONS.is_valid({"version": 1, kind: {"good": table}})
    assert not DEFINITIONS.is_valid({"version": 1, kind: {"bad name": table}})


def test_only_files_leave_keys_out_so_null_is_allowed_in_records_only() -> None:
    assert '"null"' not in json.dumps(definitions_schema())
    assert '"null"' in json.dumps(record_schema())


def test_every_key_is_explained() -> None:
    def unexplained(schema: Any, path: str) -> Iterator[str]:
        for name, member in schema.get("properties", {}).items():
            if "description" not in member:
                yield f"{path}.{name}"

    definitions = definitions_schema()["$defs"]
    assert [key for name, schema in definitions.items() for key in unexplained(schema, name)] == []


def test_defaults_of_durations_are_written_with_a_unit() -> None:
    definitions = definitions_schema()["$defs"]
    assert definitions["Endpoint"]["properties"]["timeout"]["default"] == "15s"
    assert definitions["Limits"]["properties"]["body"]["default"] == "10MiB"


@pytest.mark.parametrize(
    "record",
    [
        RunStarted(at="2026-11-22T03:28:00.123Z", run="run_1", workflow="deploy", revision="abc"),
        SegmentStarted(at="2026-11-22T03:28:00.123Z", number=1, previous_sha256=None),
    ],
)
def test_a_line_of_the_log_fits_the_schema(record: RunStarted | SegmentStarted) -> None:
    line, _ = encode(record, 1, 1, 0)
    tree = json.loads(line)
    assert list(RECORDS.iter_errors(tree)) == []
    assert not RECORDS.is_valid({**tree, "type": "unknown"})
    assert not RECORDS.is_valid({key: value for key, value in tree.items() if key != "_"})


def test_a_record_of_a_later_version_with_one_more_member_still_fits() -> None:
    line, _ = encode(SegmentStarted(at="2026-11-22T03:28:00.123Z", number=1, previous_sha256=None), 1, 1, 0)
    assert RECORDS.is_valid({**json.loads(line), "more": 1})


def test_the_schema_of_a_record_has_all_its_members() -> None:
    members = set(record_schema()["$defs"]["ConfigHeld"]["properties"])
    assert members == {field.name for field in fields(ConfigHeld)} | {"_"}
