from __future__ import annotations

from hooksd.config.load import Loader
from tests.config.sets import store

FILES = {
    "out.toml": b"""\
version = 1
[endpoints.out]
url     = "https://example.com/"
callers = ["plugin", "plgin"]
""",
}


def test_a_caller_without_a_key_is_a_warning_where_it_stands() -> None:
    loaded = Loader(secrets=store(), allow_inline_secrets=False, trigger_keys={"plugin"}).load(FILES)

    (problem,) = loaded.diagnostics
    assert loaded.ok
    assert (problem.code, problem.severity, problem.line, problem.column) == ("H062", "warning", 4, 22)
    assert problem.hint == "did you mean `plugin`?"


def test_callers_with_keys_are_fine() -> None:
    loader = Loader(secrets=store(), allow_inline_secrets=False, trigger_keys={"plugin", "plgin"})

    assert loader.load(FILES).diagnostics == ()


def test_without_any_key_the_hint_says_which_setting_it_is() -> None:
    first, second = Loader(secrets=store(), allow_inline_secrets=False).load(FILES).diagnostics

    assert (first.hint, second.hint) == (
        "set `trigger_keys.plugin` in hooksd.toml",
        "set `trigger_keys.plgin` in hooksd.toml",
    )
