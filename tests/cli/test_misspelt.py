"""Names that nothing has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from hooksd.journal.reader import Entry, LogReader
from hooksd.model.record import RequestRefused
from tests.cli.conftest import AT, Command, Write, write_log

ENDPOINT = 'version = 1\n[endpoints.invoices]\nurl = "https://invoices.example/in"\n'


@pytest.fixture(autouse=True)
def definitions(write: Write, log: Path) -> Path:
    """A log of `chat` and `github`, and a file that defines `invoices`."""
    assert log.is_dir()
    return write("invoices.toml", ENDPOINT)


@pytest.mark.parametrize("command", ["deliveries", "redeliver"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("invoces", "did you mean `invoices`?"),
        ("chatt", "did you mean `chat`?"),
        ("warehouse", "`hooksd list endpoints` shows what there is"),
        ("\x1b[31m", "`hooksd list endpoints` shows what there is"),
    ],
    ids=["like one in the files", "like one in the log", "like none", "escape"],
)
def test_a_name_that_no_endpoint_has_is_said_to_be_none(hooksd: Command, command: str, name: str, hint: str) -> None:
    result = hooksd(command, "--endpoint", name)

    assert (result.status, result.out) == (0, "")
    shown = name.replace("\x1b", r"\x1b")
    assert f"no endpoint is called `{shown}`, in the files or in the log: {hint}" in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize(
    ("name", "is_known"),
    [("gihtub", False), ("github", True)],
)
def test_the_same_holds_for_webhooks(hooksd: Command, name: str, *, is_known: bool) -> None:
    result = hooksd("deliveries", "--webhook", name, "--since", "2099-01-01T00:00:00Z")

    assert "nothing of that kind is in the log" in result.err
    assert ("no webhook is called `gihtub`" in result.err) is not is_known
    assert ("did you mean `github`?" in result.err) is not is_known


@pytest.mark.parametrize("name", ["invoices", "chat"])
def test_of_a_name_that_is_there_nothing_is_said_but_that_nothing_was_found(hooksd: Command, name: str) -> None:
    result = hooksd("deliveries", "--endpoint", name, "--status", "delivered")

    assert result.err == "nothing of that kind is in the log\n"


def test_it_is_said_beside_results_for_programs_too(hooksd: Command) -> None:
    result = hooksd("deliveries", "--json", "--endpoint", "invoces")

    assert (result.out, "did you mean `invoices`?" in result.err) == ("", True)


def test_who_is_misspelt_beside_a_name_that_finds_something_is_told_too(hooksd: Command) -> None:
    result = hooksd("deliveries", "--webhook", "github", "--endpoint", "invoces")

    assert "no endpoint is called `invoces`" in result.err
    assert len(result.out.splitlines()) == 3


def test_while_a_file_cannot_be_read_the_others_and_the_log_are_known(
    hooksd: Command, definitions: Path, write: Write
) -> None:
    write("broken.toml", "version = ")

    in_log, in_files, far = (hooksd("deliveries", "--endpoint", name) for name in ("chatt", "invoces", "warehouse"))

    assert "no endpoint is called `chatt` in the log: did you mean `chat`?" in in_log.err
    assert "no endpoint is called `invoces` in the log: did you mean `invoices`?" in in_files.err
    assert (
        "no endpoint is called `warehouse` in the log: not all files can be read now, see `hooksd validate`" in far.err
    )


def test_endpoints_whose_triggers_were_refused_are_known(hooksd: Command, home: Path) -> None:
    refused = RequestRefused(at=AT, webhook=None, endpoint="shop", reason="unfit", status=422, peer="ada")
    write_log(home / ".hooksd" / "log", [refused])

    assert "did you mean `shop`?" in hooksd("deliveries", "--endpoint", "shopp").err


@pytest.mark.parametrize(
    ("arguments", "searches"),
    [
        (["deliveries", "--endpoint", "chat"], 1),
        (["deliveries", "--endpoint", "invoces"], 2),
        (["deliveries", "--webhook", "gihtub", "--since", "2h"], 2),
        (["deliveries", "--endpoint", "invoces", "--webhook", "gihtub"], 3),
    ],
    ids=["known", "unknown", "unknown and not long ago", "two"],
)
def test_the_log_is_searched_for_a_name_once_and_for_names_that_are_like_it_once(
    hooksd: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], searches: int
) -> None:
    begun: list[Collection[bytes]] = []

    class Counting(LogReader):
        def backward(self, marks: Collection[bytes] = ()) -> Iterator[Entry]:
            begun.append(marks)
            return super().backward(marks)

    monkeypatch.setattr("hooksd.cli.history.LogReader", Counting)

    hooksd(*arguments)

    assert len(begun) == searches


@pytest.mark.usefixtures("log")
def test_a_name_is_doubted_without_importing_what_judges_definitions(home: Path) -> None:
    code = (
        "import sys\nfrom hooksd.cli.main import main\n"
        "try: main(['deliveries', '--endpoint', 'invoces'])\n"
        "finally: print([n for n in ('pydantic', 'minijinja', 'asyncio') if n in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True)

    assert "did you mean `invoices`?" in done.stderr
    assert done.stdout == "[]\n"
