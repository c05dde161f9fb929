from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from hooksd.engine.process import PATH, ProcessRunner, clean_environment
from hooksd.model.effect import StartProcess
from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon

TEXT = page("running-programs.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are told with curl")
def test_every_example_does_what_the_page_shows(daemon: Daemon) -> None:
    daemon.write(definitions(TEXT))
    daemon.start()

    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"


async def test_every_variable_that_a_program_gets_is_described(tmp_path: Path) -> None:
    assert f"`{PATH}`" in TEXT
    effect = StartProcess(argv=("env",), env={}, stdin=b"", cwd="/", timeout=5)

    done = await ProcessRunner(directory=tmp_path, memory=tmp_path).perform(effect)

    given = {line.partition("=")[0] for line in str(done.output).splitlines()}
    assert given > set(clean_environment(tmp_path))
    for name in given:
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (("sh", "-c", "exit 3"), "exit status 3"),
        (("sh", "-c", "kill -SEGV $$"), "killed by SIGSEGV"),
        (("/no/such",), "cannot run"),
        (("true", "\0"), "argument 1 holds a NUL character"),
    ],
    ids=["status", "signal", "missing", "nul"],
)
async def test_every_error_begins_as_the_page_says(argv: tuple[str, ...], error: str, tmp_path: Path) -> None:
    effect = StartProcess(argv=argv, env={}, stdin=b"", cwd="/", timeout=5)

    done = await ProcessRunner(directory=tmp_path, memory=tmp_path).perform(effect)

    assert str(done.error).startswith(error)
    assert f"`{error}`" in TEXT


async def test_the_way_to_start_something_that_stays_works(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert "env -u HOOKSD_PROCESS setsid " in TEXT
    script = f"env -u HOOKSD_PROCESS setsid sh -c 'echo $$ > {pid}; exec sleep 60' >/dev/null 2>&1 & sleep 0.3"
    effect = StartProcess(argv=("sh", "-c", script), env={}, stdin=b"", cwd="/", timeout=5)

    await ProcessRunner(directory=tmp_path, memory=tmp_path).perform(effect)

    assert Path(f"/proc/{int(pid.read_text())}/cmdline").read_bytes().startswith(b"sleep")
    os.kill(int(pid.read_text()), signal.SIGKILL)
    os.waitpid(int(pid.read_text()), 0)
