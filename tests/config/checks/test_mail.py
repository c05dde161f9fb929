from __future__ import annotations

from hooksd.config.load import Loader
from tests.config.sets import store

FILES = {
    "roles.toml": b'version = 1\n[roles.clerk]\nallow = ["mail:*@example.com"]\n',
    "tell.toml": b"""\
version = 1
on = "manual"
run_as = "clerk"

[[steps]]
mail = "sales@example.com"
subject = "A lead"
text = "Hello"
""",
}


def test_mail_without_a_mail_server_is_an_error_where_it_stands() -> None:
    loaded = Loader(secrets=store(), allow_inline_secrets=False, can_mail=False).load(FILES)

    (problem,) = loaded.diagnostics
    assert (problem.code, problem.file, problem.line, problem.column) == ("H081", "tell.toml", 6, 1)
    assert "smtp" in (problem.hint or "")


def test_mail_with_a_mail_server_is_fine() -> None:
    assert Loader(secrets=store(), allow_inline_secrets=False, can_mail=True).load(FILES).diagnostics == ()


def test_recipients_that_can_never_be_allowed_are_errors_now() -> None:
    files = {**FILES, "tell.toml": FILES["tell.toml"] + b'bcc = ["log@example.org", "{{ body.x }}@example.com"]\n'}

    loaded = Loader(secrets=store(), allow_inline_secrets=False).load(files)

    assert [(item.code, item.line) for item in loaded.diagnostics] == [("H060", 9)]
    assert "mail:log@example.org" in loaded.diagnostics[0].message
