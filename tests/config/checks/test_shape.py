from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hooksd.config.checks.shape import MODELS, explain
from hooksd.config.checks.written import Kind
from hooksd.config.diagnostics import CODES
from tests.config.loading import found, messages

KEYS = ["on", "steps", "run", "retry", "auth", "type", "secret", "timeout", "headers", "url", "allow", "signed", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.sampled_from(["hmac", "x", "1s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TABLES = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)


@given(st.sampled_from(list(MODELS)), TABLES)
def test_whatever_a_table_holds_its_errors_are_explained_and_placed(kind: Kind, table: dict[str, Any]) -> None:
    try:
        MODELS[kind].model_validate(table)
    except ValidationError as error:
        findings = list(explain(kind, "a.toml", ("top",), table, error))
        assert findings
        for finding in findings:
            assert finding.code in CODES
            assert finding.path[0] == "top"
            assert reaches(table, finding.path[1:])


def reaches(table: Any, path: tuple[str | int, ...]) -> bool:
    for part in path:
        if isinstance(table, list):
            if not isinstance(part, int) or part >= len(table):
                return False
        elif not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    return True


STEP = 'version = 1\non = "manual"\n[[steps]]\nfail = "x"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (STEP + "timeout = 1", "a.toml:5:11 H018"),
        (STEP + 'retry = "x"', "a.toml:5:9 H017"),
        (STEP + "retry = 1", "a.toml:5:9 H016"),
        (STEP + "retry = { max = 0 }", "a.toml:5:17 H017"),
        (STEP + 'retry = { max = 1, x = 1, delay = "1s" }', "a.toml:5:20 H012"),
        (STEP + 'on_error = "stop"', "a.toml:5:12 H017"),
        (STEP + "[[steps]]\n", "a.toml:5:1 H019"),
        (STEP + '[[steps]]\nsend = "x"\nset.a = 1\n', "a.toml:7:1 H019"),
        ('version = 1\non = "manual"\n[steps]\n', "a.toml:3:1 H016"),
        ("version = 1\n[webhooks.a]\n", "a.toml:2:1 H015"),
        ('version = 1\n[webhooks.a]\nauth.type = "hmac"\nauth.signed = 1\nauth.header = "X"', "a.toml:4:15 H016"),
        ("version = 1\n[webhooks.a]\nauth.type = 1\n", "a.toml:3:13 H016"),
        ("version = 1\n[webhooks.a]\nauth.type = []\n", "a.toml:3:13 H016"),
        ('version = 1\n[endpoints.a]\nurl = "https://x"\ntimeout = 1', "a.toml:4:11 H018"),
    ],
)
def test_one_mistake_is_one_error_where_it_is(text: str, place: str, tmp_path: Path) -> None:
    assert [item for item in found(tmp_path, {"a.toml": text}) if "H04" not in item] == [place]


def test_a_value_of_several_kinds_is_explained_once(tmp_path: Path) -> None:
    (message,) = messages(tmp_path, STEP + "retry = 3\n", "H016", "H017")
    assert message.startswith('expected "none", "quick", "standard", "week" or a table like')


def test_a_list_is_not_called_empty_because_of_its_items(tmp_path: Path) -> None:
    text = 'version = 1\non = "manual"\nrun_as = "r"\n[[steps]]\nrun = [1]\n'
    assert messages(tmp_path, text, "H016", "H017") == ["expected a text, found a number"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_running = 0", "expected at least 1, found 0"),
        ("max_running = 1001", "expected at most 1000, found 1001"),
        ('when = ""', "this must not be empty"),
        (f'when = "{"x" * 5000}"', "longer than 4096 characters"),
    ],
)
def test_a_bound_is_told_with_its_number(line: str, message: str, tmp_path: Path) -> None:
    text = f'version = 1\non = "manual"\n{line}\n[[steps]]\nfail = "x"\n'
    assert messages(tmp_path, text, "H017") == [message]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('version = 1\non = "manual"\n[[step]]\nset.a = 1\n', ["a.toml:3:3 H012"]),
        ('version = 1\n[webhooks.a]\nauht.type = "none"\n', ["a.toml:3:1 H012"]),
        ('version = 1\nwhenn = "true"\n[[steps]]\nset.a = 1\n', ["a.toml:1:1 H015", "a.toml:2:1 H012"]),
        ('version = 1\non = "manual"\nqqqq = 1\n', ["a.toml:1:1 H015", "a.toml:3:1 H012"]),
    ],
)
def test_a_key_with_a_slip_is_not_missing_as_well(text: str, codes: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, {"a.toml": text}) == codes
