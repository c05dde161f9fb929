from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.engine.machine import MAX_INTERRUPTIONS
from hooksd.expr.scope import NAMES
from hooksd.model.base import keys_of
from hooksd.model.event import MAX_HOP
from hooksd.model.record import RunStatus
from hooksd.model.step import STEP_KEYS, VERBS
from hooksd.model.workflow import Workflow
from tests.docs.console import definitions, page

PAGE = page("workflows.md")
ROWS = re.findall(r"^\| (.+?) \|", PAGE, re.MULTILINE)
NAMED = {name for row in ROWS for name in re.findall(r"`([a-z_]+)", row)}


def test_the_examples_are_a_set_of_definitions_without_a_problem(tmp_path: Path) -> None:
    for name in ("github", "shop", "bank", "api_token", "inbox"):
        (tmp_path / name).write_text("whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=")
    store = SecretStore(credentials_dir=tmp_path, environment={}, allow_inline=False, base_dir=tmp_path)
    files = {name: text.encode() for name, text in definitions(PAGE).items()}

    loaded = Loader(secrets=store, allow_inline_secrets=False).load(files)

    assert loaded.diagnostics == ()
    assert loaded.definitions is not None
    assert set(loaded.definitions.workflows) == {"deploy", "reserve", "confirm", "report", "leads", "inbox"}


def test_the_example_of_a_test_passes_and_can_fail() -> None:
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(source, "docs/workflows.md", "exec"), scope)  # noqa: S102 - our own page
    test = scope["test_a_failed_build_is_not_shipped_and_somebody_hears_of_it"]
    assert callable(test)
    test()

    wrong: dict[str, object] = {}
    exec(compile(source.replace('.does("alert")', ""), "docs/workflows.md", "exec"), wrong)  # noqa: S102 - see above
    test = wrong["test_a_failed_build_is_not_shipped_and_somebody_hears_of_it"]
    assert callable(test)
    with pytest.raises(AssertionError):
        test()


def test_every_key_of_a_workflow_and_of_a_step_is_described() -> None:
    assert keys_of(Workflow) <= NAMED
    described = NAMED | set(re.findall(r"`([a-z_]+)`", PAGE))
    assert described >= STEP_KEYS


def test_every_verb_status_and_name_in_scope_is_described() -> None:
    assert set(VERBS) <= NAMED
    assert set(get_args(RunStatus)) <= NAMED
    assert NAMED >= NAMES


def test_the_numbers_are_those_of_the_program() -> None:
    assert f"too far from the first ({MAX_HOP})" in PAGE
    assert f"at {MAX_INTERRUPTIONS} ends" in PAGE
