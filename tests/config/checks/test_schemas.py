from __future__ import annotations

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.load import Loaded, Loader
from tests.config.sets import store

HOOK = 'version = 1\n[webhooks.lead]\nauth.type = "none"\nschema = "{}"\n'


def load(loader: Loader | None = None, **files: str) -> Loaded:
    loader = loader or Loader(secrets=store(), allow_inline_secrets=False)
    named = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()}
    return loader.load(named)


def only(loaded: Loaded) -> Diagnostic:
    (diagnostic,) = loaded.diagnostics
    return diagnostic


def test_a_file_in_the_folder_of_schemas_is_a_schema_and_no_definition() -> None:
    loaded = load(a_toml=HOOK.format("schemas/lead.json"), schemas__lead_json='{"type": "object"}')

    assert loaded.diagnostics == ()
    assert loaded.definitions is not None
    assert loaded.definitions.schemas == {"schemas/lead.json": {"type": "object"}}


def test_a_schema_that_nobody_names_is_checked_too() -> None:
    diagnostic = only(load(schemas__lead_json='{"type": "strin"}'))

    assert (diagnostic.code, diagnostic.file, diagnostic.line, diagnostic.column) == (
        "H049",
        "schemas/lead.json",
        1,
        10,
    )


def test_a_schema_that_is_not_there_is_an_error_at_its_name() -> None:
    diagnostic = only(load(a_toml=HOOK.format("schemas/laed.json"), schemas__lead_json="{}"))

    assert (diagnostic.code, diagnostic.line) == ("H048", 4)
    assert diagnostic.hint == "did you mean `schemas/lead.json`?"


def test_an_endpoint_may_name_one_as_a_webhook_may() -> None:
    out = 'version = 1\n[endpoints.out]\nurl = "https://a.example/"\nschema = "schemas/{}.json"\n'

    assert load(a_toml=out.format("lead"), schemas__lead_json="{}").diagnostics == ()
    diagnostic = only(load(a_toml=out.format("laed"), schemas__lead_json="{}"))
    assert (diagnostic.code, diagnostic.line, diagnostic.hint) == ("H048", 4, "did you mean `schemas/lead.json`?")


def test_a_schema_stands_in_its_folder() -> None:
    diagnostic = only(load(a_toml=HOOK.format("lead.json")))

    assert diagnostic.code == "H048"
    assert "`schemas/`" in diagnostic.message


def test_a_schema_refers_to_nothing_outside_of_itself() -> None:
    diagnostic = only(load(schemas__lead_json='{"$ref": "https://example.com/x.json"}'))

    assert diagnostic.code == "H049"
    assert diagnostic.hint is not None
    assert "$defs" in diagnostic.hint


def test_a_definition_that_waits_for_a_schema_is_good_as_soon_as_it_is_there() -> None:
    loader = Loader(secrets=store(), allow_inline_secrets=False)
    hook = HOOK.format("schemas/lead.json")
    assert not load(loader, a_toml=hook).ok
    assert load(loader, a_toml=hook, schemas__lead_json="{}").ok
    assert not load(loader, a_toml=hook, schemas__lead_json='{"type": 5}').ok
    assert load(loader, a_toml=hook, schemas__lead_json='{"type": "object"}').ok
    assert not load(loader, a_toml=hook).ok
