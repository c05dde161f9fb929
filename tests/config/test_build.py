from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hooksd.auth.request import Inbound
from hooksd.auth.verdict import Authentic, Refused, Verdict
from hooksd.config.build import build, compile_workflow
from hooksd.config.build_problem import BuildProblem
from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.snapshot import CompiledWebhook, Snapshot
from hooksd.model.definitions import Defined
from hooksd.model.record import Origin
from hooksd.model.secret import Secret
from hooksd.model.trust import Trust
from hooksd.model.workflow import Workflow
from tests.config.sets import REVISION, definitions, snapshot, store, workflow

OPEN = '[webhooks.NAME]\nauth.type = "none"\n'
TOKEN = '[webhooks.t]\nauth.type = "token"\nauth.token = "header:x-token"\nauth.secret = "credential:token"\n'

STEPS = """
version = 1
on = "order.placed"
when = "body.total > 10"
concurrency = "order-{{ body.id }}"
run_as = "shipper"

[[steps]]
id = "label"
if = "body.ship"
run = ["/bin/label", "{{ body.id }}"]
env.KEY = "{{ secrets.printer }}"

[[steps]]
http = "POST https://example.com/{{ body.id }}"
headers.X-Id = "{{ body.id }}"
json = { id = "{{ body.id }}", list = ["{{ body.a }}", 1] }

[[steps]]
shell = "echo hello"

[[steps]]
emit = "order.shipped"
subject = "{{ body.id }}"

[[on_failure]]
fail = "not {{ body.id }}"

[[finally]]
id = "end"
respond = { ok = true }
"""
ROLES = """
version = 1
[roles.shipper]
allow = ["run:/bin/*", "http:https://example.com/*", "shell"]
secrets = ["printer"]
"""


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    (tmp_path / "printer").write_text("printer-secret\n")
    (tmp_path / "token").write_text("first-secret-value\n")
    return tmp_path


def compiled(source: str) -> Defined[Workflow]:
    return definitions({"w.toml": source}, store()).workflows["w"]


def asked(webhook: CompiledWebhook, token: str) -> Verdict:
    request = Inbound(
        method="POST", path="/", query_string="", headers=(("x-token", token),), body=b"{}", media="application/json"
    )
    return webhook.verifier.verify(request, 0.0)


def test_a_webhook_without_a_path_is_reached_under_its_name() -> None:
    found = snapshot(
        {
            "a.toml": "version = 1\n"
            + OPEN.replace("NAME", "shop")
            + 'path = "/custom"\n'
            + OPEN.replace("NAME", "github")
        }
    )
    assert found.by_path.keys() == {"/custom", "/hooks/github"}
    assert found.by_path["/hooks/github"] is found.webhooks["github"]


def test_a_disabled_webhook_is_known_by_name_and_not_by_path() -> None:
    found = snapshot({"a.toml": "version = 1\n" + OPEN.replace("NAME", "shop") + "enabled = false\n"})
    assert found.webhooks.keys() == {"shop"}
    assert found.by_path == {}


def test_every_expression_of_a_workflow_is_compiled_under_the_key_of_the_file(credentials: Path) -> None:
    found = snapshot({"order.toml": STEPS, "roles.toml": ROLES}, store(credentials)).workflows["order"]
    assert found.when is not None
    assert found.when.judge({"body": {"total": 11}}).value
    assert found.concurrency is not None
    assert found.concurrency.text({"body": {"id": 7}}) == "order-7"
    label, http, shell, emit = found.steps
    assert (label.key, label.verb, label.phase, label.index) == ("label", "run", "steps", 0)
    assert label.condition is not None
    assert label.values.keys() == {"run", "env"}
    assert label.values["run"].texts({"body": {"id": 7}}) == ["/bin/label", "7"]
    assert (http.key, set(http.values)) == ("steps[1]", {"http", "headers", "json"})
    assert http.values["json"].render({"body": {"id": 7, "a": None}}) == {"id": 7, "list": [None, 1]}
    assert (shell.verb, shell.values) == ("shell", {})
    assert emit.values.keys() == {"emit", "subject"}
    assert [step.key for step in (*found.on_failure, *found.finally_)] == ["on_failure[0]", "end"]
    assert found.phase("finally")[0].values["respond"].is_constant


def test_what_expressions_read_is_known_before_they_are_judged(credentials: Path) -> None:
    compiled = snapshot({"w.toml": STEPS, "roles.toml": ROLES}, store(credentials)).workflows["w"]

    assert compiled.reads == {"body"}
    assert [step.reads for step in compiled.steps] == [{"body", "secrets"}, {"body"}, frozenset(), {"body"}]
    assert compiled.trust is Trust.TOKEN
    assert compiled.identity == ("w", compiled.digest, "w.toml", 1)


def test_loops_and_texts_count_among_what_is_read() -> None:
    text = "{% for x in event.data %}{{ x }}{{ vars.v }}{% endfor %} of {{ headers['a'] | default(query.b) }}"
    compiled = snapshot({"w.toml": workflow('"x"', f'concurrency = "{text}"\nvars.v = 1')}).workflows["w"]

    assert compiled.reads == {"event", "vars", "headers", "query"}


def test_keys_that_a_step_does_not_have_are_not_compiled() -> None:
    step = compile_workflow(compiled(workflow('"x"'))).steps[0]
    assert step.values.keys() == {"set"}


def test_null_is_a_value_for_json_and_absence_elsewhere() -> None:
    text = '{"version": 1, "on": "x", "steps": [{"respond": null}, {"emit": "y", "json": null, "subject": null}]}'
    found = snapshot({"w.json": text}).workflows["w"]
    assert found.steps[0].values["respond"].render({}) is None
    assert found.steps[1].values.keys() == {"emit", "json"}


def test_only_secrets_that_an_expression_reads_are_in_the_snapshot(credentials: Path) -> None:
    found = snapshot({"order.toml": STEPS, "roles.toml": ROLES}, store(credentials))
    assert found.secrets == {"printer": Secret(b"printer-secret")}


def test_the_url_and_the_headers_of_an_endpoint_are_rendered_with_secrets(credentials: Path) -> None:
    text = (
        'version = 1\n[endpoints.slack]\nurl = "https://example.com/{{ secrets.printer }}"\n'
        'headers.Authorization = "Bearer {{ secrets.token }}"\nheaders.X-Plain = "yes"\nsecret = "credential:token"\n'
    )
    found = snapshot({"e.toml": text}, store(credentials))
    slack = found.endpoints["slack"]
    assert slack.url == "https://example.com/printer-secret"
    assert slack.headers == {"Authorization": "Bearer first-secret-value", "X-Plain": "yes"}
    assert slack.secrets == (Secret(b"first-secret-value"),)
    assert set(slack.hidden) == {"printer-secret", "first-secret-value"}
    assert found.secrets.keys() == {"printer", "token"}


def test_headers_that_read_the_event_are_kept_as_templates() -> None:
    text = (
        'version = 1\n[endpoints.erp]\nurl = "https://example.com/"\nheaders.X-A = "{{ body.a }}"\nheaders.X-B = "b"\n'
    )

    erp = snapshot({"e.toml": text}).endpoints["erp"]

    assert erp.headers == {"X-B": "b"}
    assert erp.templates["X-A"].text({"body": {"a": 7}}) == "7"


def test_the_schema_of_an_endpoint_is_compiled_once_as_long_as_it_says_the_same() -> None:
    loader = Loader(secrets=store(), allow_inline_secrets=False)
    files = {
        "e.toml": b'version = 1\n[endpoints.erp]\nurl = "https://example.com/"\nschema = "schemas/a.json"\n',
        "schemas/a.json": b'{"type": "object"}',
    }
    first = put_in_force(loader, files, store(), None)
    again = put_in_force(loader, {**files, "f.toml": b"version = 1\n"}, store(), first)
    other = put_in_force(loader, {**files, "schemas/a.json": b'{"type": "array"}'}, store(), again)

    schemas = [found.endpoints["erp"].schema for found in (first, again, other)]
    assert schemas[0] is schemas[1] is not None
    assert schemas[2] is not None
    assert schemas[2].violations([]) == ()
    assert schemas[2].violations({})


def test_a_workflow_that_did_not_change_is_not_compiled_again() -> None:
    files = {"a.toml": workflow('"x"'), "b.toml": workflow('"x"')}
    first = snapshot(files)
    second = snapshot(files | {"b.toml": workflow('"y"')}, previous=first)
    assert second.workflows["a"] is first.workflows["a"]
    assert second.workflows["b"] is not first.workflows["b"]
    assert second.workflows["b"].value.on == ("y",)


def test_of_a_set_with_one_changed_file_all_else_is_what_was_compiled_before(credentials: Path) -> None:
    secrets = store(credentials)
    loader = Loader(secrets=secrets, allow_inline_secrets=False)
    hooks = {f"t{number}.toml": f"version = 1\n{TOKEN.replace('.t]', f'.t{number}]')}" for number in range(3)}
    files = {**hooks, "w.toml": workflow('"webhook:t0"'), "x.toml": workflow('"webhook:t1"')}
    first, second = (
        {name: text.encode() for name, text in one.items()}
        for one in (files, files | {"t1.toml": f"{hooks['t1.toml']}\npath = '/other'\n"})
    )
    old = put_in_force(loader, first, secrets, None)
    new = put_in_force(loader, second, secrets, old)
    assert list(new.webhooks) == ["t0", "t1", "t2"]
    assert new.by_path.keys() == {"/hooks/t0", "/other", "/hooks/t2"}
    assert [name for name, item in new.webhooks.items() if item is not old.webhooks[name]] == ["t1"]
    assert all(item is old.workflows[name] for name, item in new.workflows.items())

    (credentials / "token").write_text("second-secret-value\n")
    newer = put_in_force(loader, second, secrets, new)
    assert all(isinstance(asked(item, "second-secret-value"), Authentic) for item in newer.webhooks.values())


def put_in_force(
    loader: Loader, files: Mapping[str, bytes], secrets: SecretStore, previous: Snapshot | None
) -> Snapshot:
    loaded = loader.load(files)
    assert loaded.definitions is not None, loaded.diagnostics
    return build(loaded.definitions, REVISION, secrets, previous, loaded.verifiers)


def test_a_workflow_that_only_moved_is_not_compiled_again_and_says_where_it_is_now() -> None:
    table = '[workflows.w]\non = "x"\n[[workflows.w.steps]]\nset.x = "1"\n'
    first = snapshot({"a.toml": f"version = 1\n{table}"})
    second = snapshot({"b.toml": f"version = 1\n\n\n{table}"}, previous=first)
    assert second.workflows["w"].origin.file == "b.toml"
    assert second.workflows["w"].steps is first.workflows["w"].steps


def test_a_secret_that_was_rotated_counts_although_no_definition_changed(credentials: Path) -> None:
    secrets = store(credentials)
    files = {"t.toml": f"version = 1\n{TOKEN}"}
    first = snapshot(files, secrets)
    (credentials / "token").write_text("second-secret-value\n")
    second = snapshot(files, secrets, previous=first)
    assert isinstance(asked(first.webhooks["t"], "first-secret-value"), Authentic)
    assert isinstance(asked(second.webhooks["t"], "first-secret-value"), Refused)
    assert isinstance(asked(second.webhooks["t"], "second-secret-value"), Authentic)


def test_a_secret_that_vanished_after_the_check_is_a_problem_with_a_place(credentials: Path) -> None:
    secrets = store(credentials)
    checked = definitions({"t.toml": f"version = 1\n{TOKEN}"}, secrets)
    (credentials / "token").unlink()
    with pytest.raises(BuildProblem) as caught:
        build(checked, REVISION, secrets)
    found = caught.value.diagnostic
    assert (found.code, found.file, found.line) == ("H070", "t.toml", 2)
    assert "credential:token" in found.message


def test_what_nobody_foresaw_is_a_problem_too_and_shows_nothing_of_what_it_held(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("first-secret-value")

    monkeypatch.setattr("hooksd.config.build.build_greeter", broken)
    with pytest.raises(BuildProblem) as caught:
        snapshot({"t.toml": f"version = 1\n{TOKEN}"}, store(credentials))
    assert "KeyError" in caught.value.diagnostic.message
    assert "first-secret-value" not in repr(caught.value.diagnostic)
    assert caught.value.diagnostic.file == "t.toml"


def test_a_secret_in_a_url_that_is_not_text_is_a_problem(credentials: Path) -> None:
    secrets = store(credentials)
    checked = definitions(
        {"e.toml": 'version = 1\n[endpoints.e]\nurl = "https://x.test/{{ secrets.token }}"\n'}, secrets
    )
    (credentials / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(BuildProblem) as caught:
        build(checked, REVISION, secrets)
    assert caught.value.diagnostic.code == "H072"


def test_origins_and_documents_stay_with_what_was_compiled() -> None:
    source = compiled(workflow('"x"'))
    found = compile_workflow(source)
    assert found.origin == source.origin == Origin(file="w.toml", line=found.origin.line)
    assert (found.digest, found.document) == (source.digest, source.document)


def test_a_webhook_with_a_uuid_is_known_by_its_hash_and_not_by_its_path() -> None:
    text = 'version = 1\n[webhooks.leads]\nauth.type = "none"\nuuid = "sha256:' + "0" * 64 + '"\n'
    found = snapshot({"a.toml": text, "b.toml": text.replace("leads", "off").replace("0", "1") + "enabled = false\n"})

    assert found.by_path == {}
    assert list(found.by_uuid) == [("/hooks", "sha256:" + "0" * 64)]
    assert found.webhooks["leads"].path == "/hooks"
