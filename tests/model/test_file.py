from __future__ import annotations

from itertools import combinations

import pytest
from pydantic import ValidationError

from hooksd.model.base import keys_of
from hooksd.model.endpoint import Endpoint
from hooksd.model.file import FILE_KEYS, LEVELS, RESERVED_KEYS, DefinitionFile, WorkflowFile
from hooksd.model.step import STEP_MODELS
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow

SHARED = {
    ("step", "webhook"): {"subject"},
    ("step", "endpoint"): {"headers", "retry", "timeout"},
    ("webhook", "endpoint"): {"description", "enabled", "rate", "schema"},
    ("endpoint", "role"): {"egress"},
}
"""Keys that occur in two kinds of tables: each has one meaning."""


@pytest.mark.parametrize("pair", list(combinations(LEVELS, 2)), ids="-".join)
def test_a_key_belongs_to_one_kind_of_table_or_means_the_same_in_both(pair: tuple[str, str]) -> None:
    assert LEVELS[pair[0]] & LEVELS[pair[1]] == SHARED.get(pair, set())


def test_no_key_of_a_workflow_is_a_key_of_any_other_table() -> None:
    others = frozenset().union(*(keys for level, keys in LEVELS.items() if level != "workflow"))
    assert LEVELS["workflow"] & others == frozenset()
    assert LEVELS["workflow"] & FILE_KEYS == frozenset()


@pytest.mark.parametrize("key", ["headers", "retry", "timeout"])
def test_a_key_of_steps_and_endpoints_takes_the_same_values(key: str) -> None:
    values: dict[str, list[object]] = {
        "headers": [{"X-A": "b"}, {"X-A": "{{ x }}"}, {}],
        "retry": ["none", "quick", "standard", "week", {"max": 2}],
        "timeout": ["1s", "500ms"],
    }
    wrong: dict[str, list[object]] = {"headers": ["x", {"X-A": 1}], "retry": ["x", {"maxx": 1}, 3], "timeout": [1, "1"]}
    step = {"http": "GET https://x"}
    for value in values[key]:
        STEP_MODELS["http"].model_validate({**step, key: value})
        Endpoint.model_validate({"url": "https://x", key: value})
    for value in wrong[key]:
        with pytest.raises(ValidationError):
            STEP_MODELS["http"].model_validate({**step, key: value})
        with pytest.raises(ValidationError):
            Endpoint.model_validate({"url": "https://x", key: value})


def test_reserved_keys_are_no_keys_yet() -> None:
    for key, level in RESERVED_KEYS.items():
        assert key not in LEVELS[level]


def test_a_file_is_one_workflow_or_a_set_of_tables() -> None:
    tables = {"version": 1, "webhooks": {"in": {"auth": {"type": "none"}}}}
    assert isinstance(DefinitionFile.model_validate(tables).webhooks["in"], Webhook)
    flat = WorkflowFile.model_validate({**tables, "on": "manual", "steps": [{"fail": "x"}]})
    assert flat.on == ("manual",)
    assert keys_of(WorkflowFile) == keys_of(DefinitionFile) | keys_of(Workflow)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_only_supported_versions_are_read(version: object) -> None:
    with pytest.raises(ValidationError):
        DefinitionFile.model_validate({"version": version})
