from __future__ import annotations

from hooksd.engine.rights import Rights
from hooksd.engine.scope import run_scope
from hooksd.engine.steps.intent import Occasion
from hooksd.model.trust import Trust
from tests.engine.steps.occasions import run_at


def test_a_key_that_was_not_written_is_empty_where_a_mapping_is_meant() -> None:
    run = run_at(
        {"run": ["x", "{{ body }}"], "env": {"A": "{{ body }}", "B": "{{ vars.none | default('') }}"}}, [1, True]
    )
    rights = Rights(trust=Trust.SIGNED)
    occasion = Occasion(step=run.workflow.steps[0], run=run, number=1, scope=run_scope(run, {}, ""), rights=rights)

    assert occasion.has("env")
    assert not occasion.has("headers")
    assert occasion.texts("headers") == {}
    assert occasion.texts("env") == {"A": "[1,true]", "B": ""}
    assert occasion.render("env") == {"A": [1, True], "B": ""}
