from __future__ import annotations

import json
import re
from typing import Any

from hooksd.config.checks.words import MISSING, PATTERNS, listing
from hooksd.config.schema import definitions_schema
from hooksd.model.rate import RATE_PATTERN
from hooksd.model.step import VERBS
from hooksd.model.units import DURATION_PATTERN, SIZE_PATTERN

DEFINITIONS: dict[str, Any] = definitions_schema()["$defs"]


def test_every_pattern_of_the_models_is_explained_in_plain_words() -> None:
    text = json.dumps(DEFINITIONS)
    patterns = {json.loads(raw) for raw in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', text)}
    patterns |= {json.loads(raw) for raw in re.findall(r'"patternProperties": \{("(?:[^"\\]|\\.)*")', text)}
    assert patterns - set(PATTERNS) == {DURATION_PATTERN, SIZE_PATTERN, RATE_PATTERN}


def test_every_required_key_says_what_to_write_when_it_is_missing() -> None:
    steps = {name for name in DEFINITIONS if name.endswith("Step")}
    required = {key for name, schema in DEFINITIONS.items() if name not in steps for key in schema.get("required", ())}
    required |= {key for name in steps for key in DEFINITIONS[name]["required"] if key not in VERBS}
    chosen_by = {"type", "preset", "version"}  # the table is known by these, so they cannot be missing in it
    assert required - chosen_by == set(MISSING)


def test_lists_of_words_end_in_or() -> None:
    assert listing(["a"]) == "`a`"
    assert listing(["a", "b", "c"], '"') == '"a", "b" or "c"'
