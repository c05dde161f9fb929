from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.checks.keys import LATER
from hooksd.model.auth import AUTH_MODELS
from hooksd.model.base import keys_of
from hooksd.model.file import LEVELS, RESERVED_KEYS
from tests.config.loading import hints, load, messages

WORKFLOW = 'version = 1\non = "manual"\n{}\n[[steps]]\nfail = "x"\n{}\n'
TABLES = {
    "workflow": WORKFLOW.format("{} = 1", ""),
    "step": WORKFLOW.format("", "{} = 1"),
    "webhook": 'version = 1\n[webhooks.in]\nauth.type = "none"\n{} = 1\n',
    "endpoint": 'version = 1\n[endpoints.out]\nurl = "https://x.example"\n{} = 1\n',
    "role": "version = 1\n[roles.r]\n{} = 1\n",
    "auth": 'version = 1\n[webhooks.in]\nauth.type = "none"\nauth.{} = 1\n',
    "limits": 'version = 1\n[webhooks.in]\nauth.type = "none"\nlimits.{} = 1\n',
}


@pytest.mark.parametrize(("key", "level"), RESERVED_KEYS.items())
def test_a_key_of_a_later_version_is_called_that_in_its_table(key: str, level: str, tmp_path: Path) -> None:
    assert messages(tmp_path, TABLES[level].format(key), "H014") == [f"`{key}` belongs to a later version of hooksd"]


@pytest.mark.parametrize(("level", "key"), [(level, key) for level, keys in LATER.items() for key in sorted(keys)])
def test_so_is_one_that_exists_in_another_table_already(level: str, key: str, tmp_path: Path) -> None:
    assert messages(tmp_path, TABLES[level].format(key), "H014") == [f"`{key}` belongs to a later version of hooksd"]


def test_no_key_is_both_known_and_of_a_later_version() -> None:
    known = {**LEVELS, "auth": frozenset().union(*(keys_of(model) for model in AUTH_MODELS.values()))}
    for level, keys in LATER.items():
        assert keys & known.get(level, frozenset()) == frozenset()


@pytest.mark.parametrize(
    ("level", "key", "hint"),
    [
        ("step", "concurrency", "move it above the first `[...]`"),
        ("webhook", "on", "move it above the first `[...]`"),
        ("workflow", "run", "move it below a `[[steps]]` line"),
        ("workflow", "auth", "move it below a `[webhooks.NAME]` line"),
        ("webhook", "sign", "move it below a `[endpoints.NAME]` line"),
        ("endpoint", "allow", "move it below a `[roles.NAME]` line"),
        ("webhook", "secret", "write `auth.secret = ...`"),
        ("step", "cwd", "it goes with `run` or `shell`"),
        ("auth", "algorithm", "it goes with `hmac`, `signature` or `preset`"),
    ],
)
def test_a_key_in_the_wrong_table_is_told_where_to_go(level: str, key: str, hint: str, tmp_path: Path) -> None:
    assert hints(tmp_path, TABLES[level].format(key), "H013") == [hint]


@pytest.mark.parametrize(
    ("level", "key", "meant"),
    [
        ("workflow", "concurency", "concurrency"),
        ("workflow", "webhook", "webhooks"),
        ("step", "on_eror", "on_error"),
        ("webhook", "method", "methods"),
        ("endpoint", "secrets", "secret"),
        ("auth", "evnt", "event"),
        ("limits", "boddy", "body"),
    ],
)
def test_a_misspelt_key_gets_the_one_that_was_meant(level: str, key: str, meant: str, tmp_path: Path) -> None:
    assert hints(tmp_path, TABLES[level].format(key), "H012") == [f"did you mean `{meant}`?"]


def test_a_key_like_no_other_gets_all_that_there_are(tmp_path: Path) -> None:
    assert hints(tmp_path, TABLES["limits"].format("zzz"), "H012") == [
        "`limits` has the keys `body`, `fields`, `file` or `files`"
    ]


def test_in_json_nothing_is_said_of_brackets(tmp_path: Path) -> None:
    text = '{"version": 1, "webhooks": {"a": {"auth": {"type": "none"}, "on": "x"}}}'
    (diagnostic,) = load(tmp_path, {"a.json": text}).diagnostics
    assert diagnostic.hint == "move it into a workflow"


def test_in_the_form_with_names_the_table_of_the_workflow_is_named(tmp_path: Path) -> None:
    text = 'version = 1\n[workflows.w]\non = "manual"\n[[workflows.w.steps]]\nfail = "x"\nwhen = "true"\n'
    assert hints(tmp_path, text, "H013") == ["move it directly below `[workflows.w]`"]
