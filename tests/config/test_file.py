from __future__ import annotations

import hashlib
import json

import pytest

from hooksd.config.document import Document, read
from hooksd.config.file import Content, content_of


def content(text: str, file: str = "deploy.toml") -> Content:
    document = read(file, text.encode())
    assert isinstance(document, Document)
    return content_of(document)


STEP = '[[steps]]\nfail = "x"\n'


def test_a_file_with_steps_is_a_workflow_named_after_the_file() -> None:
    found = content(f'version = 1\non = "manual"\n{STEP}', "sub/deploy.toml")
    (workflow,) = found.written
    assert (workflow.kind, workflow.name, workflow.path, workflow.line) == ("workflow", "deploy", (), 1)
    assert workflow.table == {"on": "manual", "steps": [{"fail": "x"}]}
    assert found.findings == ()


def test_definitions_beside_the_workflow_are_found_with_their_lines() -> None:
    text = (
        f'version = 1\non = "manual"\n{STEP}[webhooks.in]\nauth.type = "none"\n\n[endpoints.out]\nurl = "https://x"\n'
    )
    written = content(text).written
    assert [(item.kind, item.name, item.line) for item in written] == [
        ("workflow", "deploy", 1),
        ("webhook", "in", 5),
        ("endpoint", "out", 8),
    ]


def test_a_json_file_holds_the_same() -> None:
    tree = {"$schema": "x", "version": 1, "on": "manual", "steps": [{"fail": "x"}], "roles": {}}
    found = content(json.dumps(tree), "deploy.json")
    assert [item.name for item in found.written] == ["deploy"]
    assert [finding.code for finding in found.findings] == ["H033"]


def test_the_digest_is_of_the_table_and_not_of_its_place_or_spelling() -> None:
    one = content('version = 1\n[endpoints.a]\nurl = "https://x"\nmethod = "PUT"\n').written[0]
    same = content('# more\nversion = 1\n[endpoints]\na = { method = "PUT", url = "https://x" }\n').written[0]
    other = content('version = 1\n[endpoints.a]\nurl = "https://y"\nmethod = "PUT"\n').written[0]
    assert one.digest == same.digest != other.digest
    canonical = b'{"method":"PUT","url":"https://x"}'
    assert one.digest == "sha256:" + hashlib.sha256(canonical).hexdigest()


def test_roles_are_found_in_roles_toml_at_the_top_only() -> None:
    text = "version = 1\n[roles.r]\n"
    assert content(text, "roles.toml").findings == ()
    assert [finding.code for finding in content(text, "sub/roles.toml").findings] == ["H033"]
    assert [finding.code for finding in content(text, "other.toml").findings] == ["H033"]


@pytest.mark.parametrize("name", ["-x", "a b", "é", "a" * 129])
def test_a_file_whose_name_is_no_name_cannot_be_a_workflow(name: str) -> None:
    codes = [finding.code for finding in content(f'version = 1\non = "manual"\n{STEP}', f"{name}.toml").findings]
    assert codes == ["H024"]


def test_such_a_file_may_hold_definitions_with_names_of_their_own() -> None:
    assert content('version = 1\n[webhooks.in]\nauth.type = "none"\n', "a b.toml").findings == ()


def test_of_a_file_of_another_version_only_the_version_is_judged_and_names_are_known() -> None:
    found = content("version = 2\nnonsense = 1\n[webhooks.in]\nnonsense = 1\n")
    assert [finding.code for finding in found.findings] == ["H011"]
    assert [(item.name, item.value) for item in found.written] == [("in", None)]


@pytest.mark.parametrize("version", ["true", "1.0", '"1"', "0"])
def test_a_version_that_only_looks_like_one_is_refused(version: str) -> None:
    assert [finding.code for finding in content(f"version = {version}\n").findings] == ["H011"]


def test_without_a_version_the_rest_is_judged_all_the_same() -> None:
    codes = [finding.code for finding in content("[webhooks.in]\n").findings]
    assert codes == ["H010", "H015"]


def test_an_empty_table_of_definitions_is_fine_and_a_value_in_its_place_is_not() -> None:
    assert content("version = 1\n[webhooks]\n").findings == ()
    assert [finding.code for finding in content("version = 1\nwebhooks = 1\n").findings] == ["H016"]
    assert [finding.code for finding in content("version = 1\n[webhooks]\na = 1\n").findings] == ["H016"]


@pytest.mark.parametrize(("name", "codes"), [("config", ["H023"]), ('"workflow.w"', ["H023"]), ("configs", [])])
def test_no_webhook_has_a_name_under_which_its_callers_could_speak_for_the_daemon(name: str, codes: list[str]) -> None:
    found = content(f'version = 1\n[webhooks.{name}]\nauth.type = "none"\n')
    assert [finding.code for finding in found.findings] == codes
