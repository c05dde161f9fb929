from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from hooksd.config.snapshot import Snapshot
from hooksd.model.base import Json
from hooksd.model.definitions import Defined, Definitions
from hooksd.model.endpoint import Endpoint
from hooksd.model.role import Role
from hooksd.model.webhook import Webhook
from hooksd.model.workflow import Workflow
from hooksd.web.views import KINDS, config_view, documents, without_literals
from tests.web.doubles import ORIGIN, snapshot, webhook

WEBHOOK: Json = {"auth": {"preset": "github", "secret": "hunter2"}, "methods": ["POST"]}
ENDPOINT: Json = {"url": "https://x.example/{{ secrets.path }}", "secret": ["credential:x", "hunter2"]}
WORKFLOW: Json = {"on": ["github.push"], "steps": [{"id": "build", "run": ["make"]}, {"fail": "no"}]}
ROLE: Json = {"allow": ["run:make"], "secrets": ["path"]}


@pytest.fixture
def everything() -> Snapshot:
    value = Webhook.model_validate(WEBHOOK)
    endpoint = Endpoint.model_validate(ENDPOINT)
    definitions = Definitions(
        webhooks={"github": Defined(name="github", value=value, origin=ORIGIN, document=WEBHOOK, digest="d")},
        endpoints={"x": Defined(name="x", value=endpoint, origin=ORIGIN, document=ENDPOINT, digest="d")},
        workflows={
            "deploy": Defined(
                name="deploy", value=Workflow.model_validate(WORKFLOW), origin=ORIGIN, document=WORKFLOW, digest="d"
            )
        },
        roles={"ci": Defined(name="ci", value=Role.model_validate(ROLE), origin=ORIGIN, document=ROLE, digest="d")},
    )
    return snapshot(webhook("github"), definitions=definitions)


def view(everything: Snapshot, kind: str, name: str, public_url: str | None = None) -> Mapping[str, Json]:
    return KINDS[kind](everything, public_url)[name]


def test_a_webhook_shows_where_it_is_and_how_callers_are_known(everything: Snapshot) -> None:
    shown = view(everything, "webhooks", "github", "https://h.example/")

    assert shown["path"] == "/hooks/github"
    assert shown["url"] == "https://h.example/hooks/github"
    assert shown["auth"] == "github"
    assert shown["origin"] == {"file": "hooks.toml", "line": 3}
    assert view(everything, "webhooks", "github")["url"] is None


def test_an_endpoint_shows_its_url_as_written(everything: Snapshot) -> None:
    shown = view(everything, "endpoints", "x")

    assert shown["url"] == "https://x.example/{{ secrets.path }}"
    assert shown["sign"] == "standard-webhooks"
    assert (shown["enabled"], shown["subscribe"], shown["shape"], shown["ping"]) == (True, [], "json", False)


def test_a_webhook_shows_what_its_events_are_called(everything: Snapshot) -> None:
    shown = view(everything, "webhooks", "github")

    assert (shown["event"], shown["events"]) == (None, "github.*")


def test_a_workflow_shows_its_steps(everything: Snapshot) -> None:
    assert view(everything, "workflows", "deploy")["steps"] == [
        {"step": "build", "list": "steps", "verb": "run"},
        {"step": "steps[1]", "list": "steps", "verb": "fail"},
    ]


def test_a_role_shows_what_it_may(everything: Snapshot) -> None:
    shown = view(everything, "roles", "ci")

    assert shown["allow"] == ["run:make"]
    assert shown["secrets"] == ["path"]


def test_no_view_shows_a_secret(everything: Snapshot) -> None:
    shown = [KINDS[kind](everything, None) for kind in KINDS]

    assert b"hunter2" not in orjson.dumps([shown, config_view(everything)])


def test_documents_are_as_written_but_for_literal_secrets(everything: Snapshot) -> None:
    assert documents(everything, "webhooks")["github"] == {
        "auth": {"preset": "github", "secret": "***"},
        "methods": ["POST"],
    }
    assert documents(everything, "endpoints")["x"]["secret"] == ["credential:x", "***"]
    assert documents(everything, "workflows")["deploy"] == WORKFLOW
    assert documents(everything, "roles")["ci"] == ROLE


def test_what_is_in_force_names_its_revision(everything: Snapshot) -> None:
    shown = config_view(everything)

    assert shown["revision"] == "ab" * 6
    assert shown["commit"] == "c" * 40
    assert shown["counts"] == {"webhooks": 1, "endpoints": 1, "workflows": 1, "roles": 1}
    assert set(shown["definitions"]) == set(KINDS)


def test_a_literal_is_hidden_however_deep_it_stands() -> None:
    document = {"a": [{"password": "hunter2"}, {"secrets": {"x": ["hunter2"]}}], "secret": "env:X", "secretary": "kept"}

    assert without_literals(document) == {
        "a": [{"password": "***"}, {"secrets": {"x": ["***"]}}],
        "secret": "env:X",
        "secretary": "kept",
    }


def test_a_credential_in_a_header_is_hidden_unless_it_is_read_from_a_secret() -> None:
    headers = {"Authorization": "Bearer hunter2", "X-Api-Key": "{{ secrets.key }}", "X-Env": "prod"}

    assert without_literals({"headers": headers, "bearer": "hunter2", "oauth2": {"client_secret": "hunter2"}}) == {
        "headers": {**headers, "Authorization": "***"},
        "bearer": "***",
        "oauth2": {"client_secret": "***"},
    }
