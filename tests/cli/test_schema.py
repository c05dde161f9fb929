"""The JSON schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SHIPPED = Path(__file__).parent.parent.parent / "schemas"


def test_names_are_listed_and_each_is_a_schema(hooksd: Command) -> None:
    names = hooksd("schema").out.split()

    assert names == ["hooks.v1.schema.json", "record.v1.schema.json"]
    for name in names:
        assert hooksd("schema", name).out == hooksd("schema", name.removesuffix(".schema.json")).out
        assert "$schema" in json.loads(hooksd("schema", name).out)


def test_an_unknown_name_is_told_with_those_that_there_are(hooksd: Command) -> None:
    result = hooksd("schema", "nonsense")

    assert result.status == 64
    assert "hooks.v1.schema.json" in result.err


def test_what_was_written_passes_the_check_and_what_was_changed_does_not(hooksd: Command, home: Path) -> None:
    assert hooksd("schema", "--check", "out").status == 2
    assert hooksd("schema", "--write", "out").status == 0
    assert hooksd("schema", "--check", "out").status == 0

    (home / "out" / "hooks.v1.schema.json").write_text("{}")
    result = hooksd("schema", "--check", "out")
    assert result.status == 2
    assert "hooksd schema --write out" in result.err


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="not in a checkout")
def test_the_shipped_schemas_are_those_of_this_version(hooksd: Command) -> None:
    assert hooksd("schema", "--check", str(SHIPPED)).status == 0
