"""The definitions that runs were accepted with: kept as blobs, so that a commit never changes a run under way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict

import orjson

from hooksd.config.build import compile_workflow
from hooksd.config.snapshot import CompiledWorkflow, Snapshot
from hooksd.journal.protocol import Journal
from hooksd.model.definitions import Defined
from hooksd.model.record import Origin, RunPlan
from hooksd.model.workflow import Workflow


class DefinitionStore:
    """Knows under which digest each workflow is kept, and stores each one once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._digests: dict[tuple[str, str, str, int], str] = {}
        """By `CompiledWorkflow.identity`."""

    def missing(self, workflows: Iterable[CompiledWorkflow]) -> tuple[CompiledWorkflow, ...]:
        """Return those that this process has not stored yet."""
        found: tuple[CompiledWorkflow, ...] = ()
        for workflow in workflows:  # a comprehension would be a call, for each event
            if workflow.identity not in self._digests:
                found = (*found, workflow)
        return found

    async def keep(self, workflow: CompiledWorkflow) -> None:
        """Make a workflow's definition durable, and its digest known.

        Raises:
            JournalFull: There is no room.
        """
        self._digests[workflow.identity] = await self._journal.put_blob(_written(workflow))

    def digest(self, workflow: CompiledWorkflow) -> str:
        """Return what `RunPlan.definition` says of a workflow that was kept.

        Raises:
            KeyError: It was not.
        """
        return self._digests[workflow.identity]

    def load(self, plan: RunPlan, snapshot: Snapshot) -> CompiledWorkflow:
        """Return the workflow that a run was accepted with, compiled.

        Raises:
            KeyError: The blob is gone.
            ValueError: This version of hooksd cannot read it.
            ExpressionProblem: This version of hooksd cannot compile one of its expressions.
        """
        current = snapshot.workflows.get(plan.workflow)
        if current is not None and _digest(_written(current)) == plan.definition:
            return current
        return _compiled(self._journal.blob(plan.definition))


def _written(workflow: CompiledWorkflow) -> bytes:
    """Return a definition in canonical JSON: the same definition is the same bytes."""
    parts = {"name": workflow.name, "origin": asdict(workflow.origin), "document": workflow.document}
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def _compiled(data: bytes) -> CompiledWorkflow:
    parts = orjson.loads(data)
    document = parts["document"]
    defined = Defined(
        name=parts["name"],
        value=Workflow.model_validate(document),
        origin=Origin(**parts["origin"]),
        document=document,
        digest=_digest(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)),
    )
    return compile_workflow(defined)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
