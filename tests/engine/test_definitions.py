from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from hooksd.config.snapshot import CompiledWorkflow
from hooksd.engine.definitions import DefinitionStore
from hooksd.journal.memory import MemoryJournal
from hooksd.model.record import RunPlan
from hooksd.testing import snapshot_of

DOCUMENT: dict[str, Any] = {"on": "x", "deadline": "5m", "vars": {"a": 1}, "steps": [{"id": "a", "run": ["x"]}]}


def plan_of(workflow: CompiledWorkflow, definition: str) -> RunPlan:
    return RunPlan(id="run_1", workflow=workflow.name, definition=definition, origin=workflow.origin, concurrency=None)


async def test_a_definition_is_stored_once() -> None:
    store = DefinitionStore(MemoryJournal())
    workflow = snapshot_of({"workflows": {"w": DOCUMENT}}).workflows["w"]
    assert store.missing((workflow,)) == (workflow,)
    with pytest.raises(KeyError):
        store.digest(workflow)

    await store.keep(workflow)

    assert store.missing((workflow,)) == ()
    assert store.digest(workflow).startswith("sha256:")


async def test_a_run_finds_its_definition_after_it_was_changed() -> None:
    journal = MemoryJournal()
    store = DefinitionStore(journal)
    old = snapshot_of({"workflows": {"w": DOCUMENT}})
    await store.keep(old.workflows["w"])
    plan = plan_of(old.workflows["w"], store.digest(old.workflows["w"]))
    new = snapshot_of({"workflows": {"w": {**DOCUMENT, "deadline": "1m"}}})

    loaded = DefinitionStore(journal).load(plan, new)

    assert loaded.value == old.workflows["w"].value
    assert loaded.origin == old.workflows["w"].origin
    assert loaded.digest == old.workflows["w"].digest
    assert DefinitionStore(journal).load(plan, old) is old.workflows["w"]


async def test_a_definition_that_is_gone_or_cannot_be_read_is_an_error() -> None:
    snapshot = snapshot_of({})
    other = snapshot_of({"workflows": {"w": DOCUMENT}}).workflows["w"]
    journal = MemoryJournal()
    parts = {"name": "w", "origin": {"file": "a", "line": 1}, "document": {"steps": [{"teleport": 1}]}}
    future = await journal.put_blob(orjson.dumps(parts))

    with pytest.raises(KeyError):
        DefinitionStore(journal).load(plan_of(other, "sha256:0"), snapshot)
    with pytest.raises(ValidationError):
        DefinitionStore(journal).load(plan_of(other, future), snapshot)
