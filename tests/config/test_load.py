"""Every diagnostic as people see it: `golden/CASE/` holds files and what is said of them in `expected.txt`.

`HOOKSD_GOLDEN=write pytest tests/config/test_load.py` writes the expected texts anew; read the difference before you
commit it.
"""

from __future__ import annotations

import itertools
import os
import tomllib
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config import document
from hooksd.config.checks import permissions, secrecy
from hooksd.config.checks.collection import Collection
from hooksd.config.checks.written import Written
from hooksd.config.diagnostics import CODES, Diagnostic, in_order, render_text
from hooksd.config.document import Document
from hooksd.config.finding import Finding
from hooksd.config.gaps import left_out
from hooksd.config.load import Loaded, Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.tree import scan
from tests.config.loading import CREDENTIALS, ENVIRONMENT, load, store

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir())


def files_of(case: str) -> dict[str, bytes]:
    return dict(scan(GOLDEN / case).files)


def told(case: str, directory: Path) -> tuple[Diagnostic, ...]:
    """Return all that is said of a directory, its unread files included."""
    found = scan(GOLDEN / case)
    return in_order([*load(directory, found.files).diagnostics, *left_out(found.problems)])


@pytest.mark.parametrize("case", CASES)
def test_the_report_on_a_set_of_files_is_the_expected_one(case: str, tmp_path: Path) -> None:
    report = render_text(told(case, tmp_path), color=False)
    expected = GOLDEN / case / "expected.txt"
    if os.environ.get("HOOKSD_GOLDEN") == "write":
        expected.write_text(report, encoding="utf-8")
    assert report == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in CASES if case != "correct"])
def test_every_case_but_one_is_refused_or_warned_of(case: str, tmp_path: Path) -> None:
    assert told(case, tmp_path)


def test_the_correct_case_gives_definitions(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("correct"))
    assert loaded.definitions is not None
    assert loaded.definitions.counts() == {"webhooks": 2, "endpoints": 0, "workflows": 1, "roles": 1}


def test_every_code_occurs_in_some_golden_file(tmp_path: Path) -> None:
    seen = {diagnostic.code for case in CASES for diagnostic in told(case, tmp_path)}
    # A file of more than four MiB is no golden file: H007 is also the code of deep nesting.
    # H027 is about an extra that is not installed; the tests need it.
    assert set(CODES) - seen == {"H027"}


def test_no_report_shows_the_value_of_a_secret(tmp_path: Path) -> None:
    values = [value.decode().strip() for value in CREDENTIALS.values()] + list(ENVIRONMENT.values())
    for case in CASES:
        report = render_text(told(case, tmp_path), color=False)
        assert not any(value in report for value in values if value)


@pytest.mark.parametrize("case", ["secrets", "bytes"])
def test_no_report_shows_a_literal_secret(case: str, tmp_path: Path) -> None:
    report = render_text(told(case, tmp_path), color=False)
    assert "hunter2" not in report
    assert "plain text" not in report


def test_carets_point_at_what_is_meant(tmp_path: Path) -> None:
    for case in CASES:
        for diagnostic in load(tmp_path, files_of(case)).diagnostics:
            assert diagnostic.excerpt is not None
            assert 1 <= diagnostic.column <= diagnostic.end_column <= len(diagnostic.excerpt) + 1


def marked(lines: list[str]) -> Iterator[str]:
    yield from (line for line in lines if "^" in line)


def test_the_text_has_one_caret_line_for_each_diagnostic(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("unknown-key"))
    report = render_text(loaded.diagnostics, color=False)
    assert len(list(marked(report.splitlines()))) == len(loaded.diagnostics)


def test_accepted_toml_means_what_the_standard_library_reads(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("correct"))
    assert loaded.definitions is not None
    tree = tomllib.loads((GOLDEN / "correct" / "deploy.toml").read_text())
    assert loaded.definitions.workflows["deploy"].document == {
        key: value for key, value in tree.items() if key not in ("version", "webhooks")
    }


BAD = {
    "duration": 'on = "x"\n[[steps]]\nrun = "git pull"\ntimeout = 30\n',
    "inject": 'on = "x"\n[[steps]]\nshell = "echo {{ body.message }}"\n',
    "misplaced": 'on = "x"\n[[steps]]\nfail = "x"\n[[steps]]\nfail = "x"\nconcurrency = "x"\n',
    "step-key": 'on = "x"\nrun = ["true"]\n[[steps]]\nemit = "x"\n',
    "two-verbs": 'on = "x"\n[[steps]]\nrun = ["true"]\nhttp = "GET https://x"\n',
    "typo": 'on = "x"\nconcurency = "a"\n[[steps]]\nfail = "x"\ntimout = "3s"\n',
}


@pytest.mark.parametrize("name", BAD)
def test_common_mistakes_are_errors_that_say_what_to_do(name: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, {f"{name}.toml": BAD[name]})
    assert not loaded.ok
    assert loaded.definitions is None
    assert all(diagnostic.hint for diagnostic in loaded.diagnostics)
    assert {"H010"} < {diagnostic.code for diagnostic in loaded.diagnostics}


WAITS = """
version = 1
on      = ["webhook:door", "door.opened", "emitted"]
run_as  = "runner"
[[steps]]
send = "chat"
[webhooks.other]
auth.type = "none"
schema    = "schemas/x.json"
"""


@pytest.mark.parametrize(
    "broken",
    [
        {"roles.toml": "version = 1\n[roles.runner\n"},
        {"other.toml": "version: 1"},
        {"schemas/x.json": "{"},
        {"other.toml": b"\xff"},
    ],
    ids=["roles", "other", "schema", "bytes"],
)
def test_names_are_not_called_unknown_that_may_stand_in_a_file_that_does_not_parse(
    broken: dict[str, str | bytes], tmp_path: Path
) -> None:
    report = load(tmp_path, {"a.toml": WAITS, **broken})

    assert [item.file for item in report.diagnostics] == list(broken)


def test_names_that_no_file_defines_are_told_as_soon_as_all_files_parse(tmp_path: Path) -> None:
    codes = {item.code for item in load(tmp_path, {"a.toml": WAITS}).diagnostics}

    assert codes == {"H040", "H041", "H042", "H047", "H048"}


def test_an_event_is_not_said_to_come_from_nowhere_while_a_step_has_errors_that_may_send_it(tmp_path: Path) -> None:
    waits = 'version = 1\non = "said"\n[[steps]]\nset.a = 1\n'
    sends = 'version = 1\non = "manual"\n[[steps]]\nemitt = "said"\n'

    assert [item.code for item in load(tmp_path, {"a.toml": waits, "b.toml": sends}).diagnostics] == ["H019"]


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    files = {name: data for case in CASES for name, data in files_of(case).items()}
    assert load(tmp_path, files).diagnostics == load(tmp_path, dict(reversed(files.items()))).diagnostics


def test_a_loader_says_of_a_set_what_a_new_one_would(tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False, can_mail=False)
    for case in (*CASES, *reversed(CASES)):
        assert loader.load(files_of(case)) == load(tmp_path, files_of(case))


EDITS: Mapping[str, Callable[[str], str]] = {
    "a comment": lambda text: f"# moved\n\n{text}",
    "the end": lambda text: text.rstrip("\n").rpartition("\n")[0],
    "a role": lambda text: text.replace("send:", "emit:"),
    "a name": lambda text: text.replace("[webhooks.", "[webhooks.x"),
    "who calls": lambda text: text.replace('type = "hmac"', 'type = "none"'),
    "where it is reached": lambda text: text.replace("auth.type", 'path = "/same"\nauth.type'),
    "what is sent": lambda text: text.replace("emit = ", "emit = 'other'  # "),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("case", CASES)
def test_of_a_set_with_one_changed_file_a_loader_says_what_a_new_one_would(
    case: str, edit: str, tmp_path: Path
) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False, can_mail=False)
    files = files_of(case)
    for name in files:
        if not name.endswith(".toml"):
            continue
        changed = files | {name: EDITS[edit](files[name].decode("latin-1")).encode("latin-1")}
        for one in (files, changed, files):
            assert loader.load(one) == load(tmp_path, one)


def test_of_many_files_only_the_changed_one_is_read_and_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    role = b'version = 1\n[roles.r]\nallow = ["send:x"]\n'
    step = 'version = 1\non = "manual"\n[[steps]]\nset.x = "{}"\n'
    files = {"roles.toml": role} | {f"w{number}.toml": step.format(1).encode() for number in range(300)}
    loader.load(files)
    seen: list[str] = []
    real_read, real_check = document.read, permissions.check

    def read(file: str, data: bytes) -> Document | tuple[Diagnostic, ...]:
        seen.append(file)
        return real_read(file, data)

    def check(collection: Collection, workflows: Iterable[Written]) -> Iterator[Finding]:
        looked = list(workflows)
        seen.extend(item.name for item in looked)
        return real_check(collection, looked)

    monkeypatch.setattr("hooksd.config.load.read", read)
    monkeypatch.setattr(permissions, "check", check)
    loader.load(files | {"w7.toml": step.format(2).encode()})
    assert seen == ["w7.toml", "w7"]


def webhooks(count: int) -> dict[str, bytes]:
    text = 'version = 1\n[webhooks.w{0}]\nauth.type = "bearer"\nauth.secret = "credential:{1}"\n'
    return {f"w{number}.toml": text.format(number, "github").encode() for number in range(count)}


def test_of_many_webhooks_only_the_changed_one_is_tried_with_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = webhooks(50)
    first = loader.load(files).definitions
    seen: list[str] = []
    real_check = secrecy.check

    def check(definitions: Iterable[Written], *rest: Any, **named: Any) -> Iterator[Finding]:
        looked = list(definitions)
        seen.extend(item.name for item in looked)
        return real_check(looked, *rest, **named)

    monkeypatch.setattr(secrecy, "check", check)
    again = loader.load(files | {"w7.toml": files["w7.toml"].replace(b"version", b"\nversion")})
    assert seen == ["w7"]
    assert first is not None
    assert again.definitions is not None
    assert again.definitions.webhooks["w8"] is first.webhooks["w8"]


def test_a_rotated_secret_is_noticed_when_a_file_changes_that_does_not_read_it(tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = webhooks(3) | {"other.toml": b"version = 1\n"}
    assert loader.load(files).ok
    (tmp_path / "github").unlink()
    files |= {"other.toml": b"version = 1 # changed\n"}
    assert [diagnostic.file for diagnostic in loader.load(files).diagnostics] == ["w0.toml", "w1.toml", "w2.toml"]
    assert loader.load(files) == load_again(tmp_path, files)


def test_a_webhook_or_endpoint_is_another_one_when_its_schema_says_something_else(tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    hook = b'version = 1\n[webhooks.%s]\nauth.type = "none"\n%s'
    files = {
        "plain.toml": hook % (b"plain", b""),
        "judged.toml": hook % (b"judged", b'schema = "schemas/a.json"\n'),
        "out.toml": b'version = 1\n[endpoints.out]\nurl = "https://x.example"\nschema = "schemas/a.json"\n',
        "schemas/a.json": b'{"type": "object"}',
    }
    digests = []
    for schema in (b'{"type": "object"}', b'{"type": "array"}', b'{"type": "array"} '):
        files |= {"schemas/a.json": schema, "plain.toml": files["plain.toml"] + b"# more\n"}
        loaded = loader.load(files)
        assert loaded == load(tmp_path, files)
        assert loaded.definitions is not None
        webhooks, endpoints = loaded.definitions.webhooks, loaded.definitions.endpoints
        digests.append({name: item.digest for name, item in webhooks.items()} | {"out": endpoints["out"].digest})
    assert digests[0]["judged"] != digests[1]["judged"] == digests[2]["judged"]
    assert digests[0]["out"] != digests[1]["out"] == digests[2]["out"]
    assert digests[0]["plain"] == digests[1]["plain"] == digests[2]["plain"]


def load_again(directory: Path, files: Mapping[str, bytes]) -> Loaded:
    secrets = SecretStore(credentials_dir=directory, environment=ENVIRONMENT, allow_inline=False, base_dir=directory)
    return Loader(secrets=secrets, allow_inline_secrets=False).load(files)


def test_a_set_that_a_check_broke_on_is_looked_at_as_a_whole_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = webhooks(2) | {"a.toml": b'version = 1\non = "manual"\n[[steps]]\nsend = "nobody"\n'}

    def broken(*_: object) -> Iterator[Finding]:
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(permissions, "check", broken)
        with pytest.raises(RecursionError):
            loader.load(files)
    assert loader.load(files) == load(tmp_path, files)
    assert not loader.load(files).ok


def test_loading_lets_others_have_their_turn_at_every_file_and_definition(tmp_path: Path) -> None:
    pauses: list[None] = []
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    loader.load(webhooks(20), lambda: pauses.append(None))
    assert len(pauses) >= 3 * 20


@pytest.mark.parametrize("name", ["w", "x"])
def test_what_is_known_no_longer_is_freed_piece_by_piece(name: str, tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = webhooks(50)
    definitions = loader.load(files).definitions
    assert definitions is not None
    old = [weakref.ref(item.value) for item in definitions.webhooks.values()]
    del definitions
    gone = [0]
    changed = {file: data.replace(b".w", f".{name}".encode()) + b"# more\n" for file, data in files.items()}
    loader.load(changed, lambda: gone.append(sum(item() is None for item in old)))
    gone.append(sum(item() is None for item in old))
    assert gone[-1] == 50
    assert max(later - sooner for sooner, later in itertools.pairwise(gone)) == 1


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = files_of("correct")
    first = loader.load(files).definitions
    again = loader.load({**files, "more.toml": b"version = 1\n"}).definitions
    assert first is not None
    assert again is not None
    assert again.workflows["deploy"].value is first.workflows["deploy"].value


def test_a_secret_is_looked_up_again_even_if_no_file_changed(tmp_path: Path) -> None:
    loader = Loader(secrets=store(tmp_path), allow_inline_secrets=False)
    files = files_of("correct")
    assert loader.load(files).ok
    (tmp_path / "github").unlink()
    assert [diagnostic.code for diagnostic in loader.load(files).diagnostics] == ["H070"]


def test_definitions_know_where_they_stand(tmp_path: Path) -> None:
    definitions = load(tmp_path, files_of("correct")).definitions
    assert definitions is not None
    origin = definitions.webhooks["github"].origin
    lines = (GOLDEN / "correct" / "deploy.toml").read_text().splitlines()
    assert (origin.file, lines[origin.line - 1]) == ("deploy.toml", "[webhooks.github]")


def test_no_files_are_no_definitions_and_no_error(tmp_path: Path) -> None:
    loaded = load(tmp_path, {})
    assert loaded.definitions is not None
    assert sum(loaded.definitions.counts().values()) == 0


PIECES = st.sampled_from(
    [
        '"',
        "'",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "{%",
        "=",
        ".",
        "\n",
        "1",
        "null",
        "true",
        "x = 1\n",
        "steps",
        "auth",
        "\x00",
    ]
)


@given(st.integers(0, 2000), st.integers(0, 60), st.lists(PIECES, max_size=3))
def test_whatever_becomes_of_a_file_the_loader_answers(start: int, length: int, pieces: list[str]) -> None:
    text = (GOLDEN / "correct" / "deploy.toml").read_text()
    changed = text[:start] + "".join(pieces) + text[start + length :]
    secrets = SecretStore(credentials_dir=None, environment={}, allow_inline=False, base_dir=GOLDEN)
    loader = Loader(secrets=secrets, allow_inline_secrets=False)
    loaded = loader.load({"deploy.toml": changed.encode(), "a.json": changed.encode()})
    assert render_text(loaded.diagnostics, color=False)
    assert loaded.definitions is None
