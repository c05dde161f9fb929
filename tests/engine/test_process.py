from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from hooksd.engine import process
from hooksd.engine.process import PATH, ProcessRunner, clean_environment
from hooksd.engine.process_files import PREFIX
from hooksd.model.effect import Performed, StartProcess


def starts(
    *argv: str,
    env: dict[str, str] | None = None,
    stdin: bytes = b"{}",
    timeout: float = 10.0,
    cwd: str = "/",
    event: bytes | None = None,
) -> StartProcess:
    return StartProcess(argv=argv, env=env or {}, stdin=stdin, cwd=cwd, timeout=timeout, event=event)


def shell(script: str, **options: Any) -> StartProcess:
    return starts("/bin/sh", "-c", script, **options)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[ProcessRunner]:
    # This process adopts orphans since its first runner: programs of daemons that other tests have killed end up here.
    for stranger in zombies():
        os.waitpid(stranger, os.WNOHANG)
    runner = ProcessRunner(grace=0.2, directory=tmp_path, memory=tmp_path)
    yield runner
    runner.close()


def lent_files(directory: Path) -> list[Path]:
    return list(directory.glob(f"{PREFIX}*/*"))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def eventually(claim: Callable[[], bool], within: float = 30.0) -> bool:
    end = time.monotonic() + within
    while not claim() and time.monotonic() < end:
        await asyncio.sleep(0.01)
    return claim()


def zombies() -> list[int]:
    return [child for task in Path("/proc/self/task").iterdir() for child in children(task) if is_zombie(child)]


def children(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return []  # a thread that has just ended


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


async def test_what_a_program_prints_is_the_output_without_the_last_newline(runner: ProcessRunner) -> None:
    done = await runner.perform(shell("printf 'one\\ntwo\\n\\n'; echo careful >&2"))

    assert done == Performed(
        ok=True,
        code=0,
        output="one\ntwo\n",
        detail={"stderr": "careful", "stdout_bytes": 9, "stderr_bytes": 8, "truncated": False, "signal": None},
    )


async def test_an_exit_status_fails_with_the_last_line_of_standard_error(runner: ProcessRunner) -> None:
    done = await runner.perform(shell("echo partly; echo first >&2; echo 'no such host' >&2; exit 3"))

    assert (done.ok, done.code, done.output, done.kind) == (False, 3, "partly", "")
    assert done.error == "exit status 3: no such host"


async def test_an_exit_status_without_a_word_says_the_status_alone(runner: ProcessRunner) -> None:
    assert (await runner.perform(starts("false"))).error == "exit status 1"


async def test_a_program_killed_by_a_signal_says_which(runner: ProcessRunner) -> None:
    done = await runner.perform(shell("kill -SEGV $$"))

    assert (done.ok, done.code, done.kind, done.error) == (False, None, "signal", "killed by SIGSEGV")
    assert done.detail["signal"] == "SIGSEGV"


async def test_a_real_time_signal_has_a_name_for_people_too(runner: ProcessRunner) -> None:
    done = await runner.perform(shell("kill -40 $$"))

    assert done.error == "killed by signal 40"


async def test_bytes_that_are_not_text_are_replaced(runner: ProcessRunner) -> None:
    assert (await runner.perform(shell("printf 'a\\377b'"))).output == "a\N{REPLACEMENT CHARACTER}b"


async def test_the_event_comes_on_standard_input_and_in_a_private_file(runner: ProcessRunner, tmp_path: Path) -> None:
    file = '"$HOOKSD_EVENT_FILE"'
    script = f'cat; cat {file}; stat -c " %a" {file}; stat -c %a "$(dirname {file})"'

    done = await runner.perform(shell(script, stdin=b'{"id":1}'))

    assert done.output == '{"id":1}{"id":1} 600\n700'
    assert lent_files(tmp_path) == []


async def test_a_step_with_its_own_standard_input_still_has_the_event_in_the_file(runner: ProcessRunner) -> None:
    done = await runner.perform(shell('cat; cat "$HOOKSD_EVENT_FILE"', stdin=b"mine ", event=b"event"))

    assert done.output == "mine event"


async def test_a_long_event_holds_up_neither_a_program_that_reads_nor_one_that_does_not(runner: ProcessRunner) -> None:
    event = b"x" * (10 * 2**20)

    assert (await runner.perform(shell("wc -c", stdin=event))).output == str(len(event))
    assert (await runner.perform(starts("true", stdin=event))).ok


async def test_the_environment_is_clean_but_for_what_the_step_adds(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOOKSD_ADMIN_TOKEN", "secret")

    done = await runner.perform(starts("env", env={"HOOKSD_RUN_ID": "run_1", "LANG": "C"}))

    variables = dict(line.split("=", 1) for line in str(done.output).splitlines())
    assert set(variables) == {"PATH", "LANG", "HOME", "TMPDIR", "HOOKSD_RUN_ID", "HOOKSD_EVENT_FILE", "HOOKSD_PROCESS"}
    assert variables["PATH"] == PATH
    assert variables["LANG"] == "C"
    assert variables["TMPDIR"] == str(tmp_path)


def test_a_user_without_an_account_has_the_root_directory_as_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)

    assert clean_environment(tmp_path)["HOME"] == "/"


async def test_a_program_runs_where_the_step_says(runner: ProcessRunner, tmp_path: Path) -> None:
    assert (await runner.perform(starts("pwd", cwd=str(tmp_path)))).output == str(tmp_path)


async def test_a_program_is_looked_for_in_the_path_that_the_step_sets(runner: ProcessRunner, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)

    assert (await runner.perform(starts("tool", env={"PATH": str(tmp_path)}))).output == "found"


async def test_arguments_are_given_as_they_are(runner: ProcessRunner) -> None:
    odd = "a b; $(id) `id` * 'q' \"d\"\n\N{SNOWMAN}"

    assert (await runner.perform(starts("printf", "%s", odd))).output == odd


async def test_no_descriptor_of_hooksd_reaches_a_program(runner: ProcessRunner) -> None:
    done = await runner.perform(shell("ls /proc/self/fd | wc -l"))

    assert int(str(done.output)) == 4  # three standard ones, and the directory that `ls` reads


# --- what cannot be started


async def test_a_program_that_is_not_there_is_not_found_and_says_where_it_was_looked_for(runner: ProcessRunner) -> None:
    done = await runner.perform(starts("no-such-program"))

    assert (done.ok, done.kind) == (False, "not_found")
    assert done.error == f"cannot run no-such-program: No such file or directory (looked in {PATH})"


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [("#!/bin/sh\n", 0o644, "Permission denied"), ("no interpreter", 0o755, "Exec format error")],
)
async def test_a_file_that_cannot_be_executed_is_not_found(
    runner: ProcessRunner, tmp_path: Path, content: str, mode: int, reason: str
) -> None:
    script = tmp_path / "script"
    script.write_text(content)
    script.chmod(mode)

    done = await runner.perform(starts(str(script)))

    assert (done.kind, done.error) == ("not_found", f"cannot run {script}: {reason}")


async def test_a_missing_working_directory_is_named(runner: ProcessRunner) -> None:
    done = await runner.perform(starts("true", cwd="/no/such"))

    assert (done.kind, done.error) == ("not_found", "cannot run true in /no/such: No such file or directory")


async def test_too_long_an_argument_is_refused_by_the_kernel_and_told(runner: ProcessRunner) -> None:
    done = await runner.perform(starts("true", "x" * 200_000))

    assert (done.ok, done.kind, done.error) == (False, "", "cannot run true: Argument list too long")


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (starts(), "there is no program to run: the first argument is empty"),
        (starts("", "a"), "there is no program to run: the first argument is empty"),
        (starts("true", "a\0b"), "argument 1 holds a NUL character, which no program can be given"),
        (starts("true", "\ud800"), "argument 1 holds half a surrogate pair, which is not text"),
        (starts("true", cwd="/\0"), "the working directory holds a NUL character, which no program can be given"),
        (starts("true", env={"A": "\0"}), "the variable A holds a NUL character, which no program can be given"),
        (starts("true", env={"A=B": "c"}), "'A=B' cannot be the name of a variable"),
        (starts("true", env={"": "c"}), "'' cannot be the name of a variable"),
    ],
    ids=["nothing", "empty", "nul", "surrogate", "cwd", "variable", "equals", "nameless"],
)
async def test_what_no_program_can_be_given_fails_clearly(
    runner: ProcessRunner, effect: StartProcess, error: str
) -> None:
    assert await runner.perform(effect) == Performed(ok=False, error=error)


ODD = st.text("a\0=\ud83d\udc4d", max_size=3)


@given(argv=st.lists(ODD, max_size=3), env=st.dictionaries(ODD, ODD, max_size=2), cwd=ODD)
def test_a_look_at_everything_at_once_finds_fault_exactly_where_a_closer_look_does(
    argv: list[str], env: dict[str, str], cwd: str
) -> None:
    effect = StartProcess(argv=tuple(argv), env=env, stdin=b"", cwd=cwd, timeout=1)

    assert process._is_fit(effect) == (process._refusal(effect) is None)


async def test_a_failed_start_leaves_nothing_behind(runner: ProcessRunner, tmp_path: Path) -> None:
    await runner.perform(starts("true"))
    before = open_files()

    for _ in range(5):
        await runner.perform(starts("/no/such"))

    assert open_files() == before
    assert lent_files(tmp_path) == []


# --- bounds


async def test_a_program_that_takes_too_long_is_asked_to_end(tmp_path: Path) -> None:
    patient = ProcessRunner(grace=30, directory=tmp_path, memory=tmp_path)

    done = await patient.perform(shell("trap 'echo cleaned; exit 7' TERM; while :; do sleep 0.02; done", timeout=1))

    assert (done.ok, done.kind, done.code, done.output) == (False, "timeout", 7, "cleaned")
    assert str(done.error).startswith("did not end within 1s")


async def test_a_program_that_will_not_end_is_killed_after_the_grace(runner: ProcessRunner) -> None:
    began = time.monotonic()

    done = await runner.perform(shell("trap '' TERM; while :; do sleep 0.02; done", timeout=1))

    assert (done.kind, done.code, done.detail["signal"]) == ("timeout", None, "SIGKILL")
    assert time.monotonic() - began >= 1.2


async def test_the_start_of_a_flood_is_kept_and_all_of_it_counted(tmp_path: Path) -> None:
    runner = ProcessRunner(capture=10, directory=tmp_path, memory=tmp_path)

    done = await runner.perform(shell("head -c 3000000 /dev/zero | tr '\\0' x; printf 'early\\nthe end' >&2; exit 1"))

    assert done.output == "x" * 10
    assert done.detail["stdout_bytes"] == 3_000_000
    assert done.detail["truncated"] is True
    assert done.detail["stderr"] == "ly\nthe end", "of the errors the end is kept, where they say why"
    assert done.error == "exit status 1: the end"


async def test_a_program_that_floods_until_its_timeout_is_ended(runner: ProcessRunner) -> None:
    done = await runner.perform(starts("yes", timeout=1))

    assert done.kind == "timeout"
    assert len(str(done.output)) == 64 * 1024 - 1
    assert done.detail["stdout_bytes"] > 64 * 1024


# --- what programs start


def told(script: str) -> str:
    """Return a script that ends when a process it leaves behind has said who it is, on descriptor 3, and tells that."""
    return f"pipe=$(mktemp -u); mkfifo $pipe; exec 3<>$pipe; {script} read pid <&3; echo $pid; rm $pipe"


async def test_a_child_in_the_background_ends_with_the_step(runner: ProcessRunner) -> None:
    began = time.monotonic()

    done = await runner.perform(shell("sleep 300 & echo $!", timeout=60))

    assert done.ok
    assert time.monotonic() - began < 30
    assert await eventually(lambda: not is_alive(int(str(done.output))))


async def test_a_descendant_in_a_session_of_its_own_ends_with_the_step(runner: ProcessRunner) -> None:
    done = await runner.perform(shell(told('setsid sh -c "echo \\$\\$ >&3; sleep 300; true" &')))

    assert await eventually(lambda: not is_alive(int(str(done.output))))
    assert await eventually(lambda: zombies() == [])


async def test_a_daemon_that_forked_twice_and_its_children_end_with_the_step(runner: ProcessRunner) -> None:
    done = await runner.perform(shell(told('(setsid sh -c "sleep 301 & echo \\$! >&3; sleep 302; true" &);')))

    assert await eventually(lambda: not is_alive(int(str(done.output))))


async def test_what_takes_the_mark_out_of_its_environment_stays_and_its_open_output_holds_up_nothing(
    runner: ProcessRunner,
) -> None:
    began = time.monotonic()

    done = await runner.perform(shell(told('env -u HOOKSD_PROCESS setsid sh -c "echo \\$\\$ >&3; exec sleep 300" &')))

    daemon = int(str(done.output))
    try:
        assert is_alive(daemon)
        assert 0.5 <= time.monotonic() - began < 30, (
            "half a second for the end of the output, and not as long as it is open"
        )
    finally:
        os.kill(daemon, signal.SIGKILL)
        os.waitpid(daemon, 0)


async def test_ending_one_program_leaves_the_others_alone(runner: ProcessRunner) -> None:
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(runner.perform(shell("sleep 0.5; echo done")))
        for _ in range(5):
            await runner.perform(shell("setsid sleep 300 & sleep 0.02"))

    assert slow.result().output == "done"


async def test_a_process_that_hooksd_started_for_something_else_is_left_alone(runner: ProcessRunner) -> None:
    other = await asyncio.to_thread(os.spawnvp, os.P_NOWAIT, "sh", ["sh", "-c", "sleep 0.1; exit 9"])

    for _ in range(10):
        await runner.perform(shell("setsid sleep 300 & sleep 0.03"))

    assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 9


# --- cancelling


async def test_cancelling_kills_the_whole_group_at_once(tmp_path: Path) -> None:
    runner = ProcessRunner(grace=300, directory=tmp_path, memory=tmp_path)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            runner.perform(shell(f"trap '' TERM; sleep 300 & echo $! > {tmp_path}/child; wait", timeout=300))
        )
        assert await eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")
        child = int((tmp_path / "child").read_text())
        began = time.monotonic()
        task.cancel()

    assert time.monotonic() - began < 30
    assert task.cancelled()
    assert await eventually(lambda: not is_alive(child))
    assert await eventually(lambda: zombies() == [])
    assert lent_files(tmp_path) == []


@pytest.mark.parametrize("turns", range(8))
async def test_cancelling_while_a_program_starts_leaves_nothing_behind(
    runner: ProcessRunner, tmp_path: Path, turns: int
) -> None:
    await runner.perform(starts("true"))
    before = open_files()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(runner.perform(starts("sleep", "300", timeout=300)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    assert await eventually(lambda: lent_files(tmp_path) == [])
    assert await eventually(lambda: zombies() == [])
    assert await eventually(lambda: open_files() <= before)
    assert runner._family._leaders == set()


@pytest.mark.parametrize("turns", range(4))
async def test_cancelling_while_a_long_event_is_written_leaves_nothing_behind(
    runner: ProcessRunner, tmp_path: Path, turns: int
) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(runner.perform(starts("sleep", "300", stdin=b"x" * 2**22, timeout=300)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    await asyncio.sleep(0.2)  # the thread that writes goes on
    assert await eventually(lambda: lent_files(tmp_path) == [])
    assert await eventually(lambda: zombies() == [])


# --- many of them, on both loops


async def _hundred(directory: Path) -> None:
    runner = ProcessRunner(directory=directory, memory=directory)
    await runner.perform(starts("true"))
    before = open_files()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(runner.perform(shell(f"echo {n}; echo e{n} >&2; exit {n}"))) for n in range(100)]

    for number, task in enumerate(tasks):
        assert (task.result().code, task.result().output) == (number, str(number))
    assert open_files() == before
    assert await eventually(lambda: zombies() == [])
    assert runner._family._leaders == set()


async def _hard_cases(directory: Path) -> None:
    runner = ProcessRunner(grace=0.1, directory=directory, memory=directory)
    assert (await runner.perform(starts("yes", timeout=0.1))).kind == "timeout"
    assert (await runner.perform(shell("sleep 300 & echo hi"))).output == "hi"
    assert (await runner.perform(shell("wc -c", stdin=b"x" * 2**21))).output == str(2**21)


@pytest.mark.parametrize("work", [_hundred, _hard_cases], ids=["hundred", "hard cases"])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_it_works_on_both_loops(
    factory: Callable[[], asyncio.AbstractEventLoop],
    work: Callable[[Path], Coroutine[Any, Any, None]],
    tmp_path: Path,
) -> None:
    with asyncio.Runner(loop_factory=factory) as loop:
        loop.run(work(tmp_path))


async def test_the_loop_goes_on_while_programs_start_and_flood(runner: ProcessRunner) -> None:
    async with asyncio.TaskGroup() as group:
        flood = group.create_task(
            runner.perform(starts(sys.executable, "-c", "while 1: print('x' * 9999)", timeout=0.5))
        )
        longest = 0.0
        while not flood.done():
            began = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - began)

    assert longest < 0.4, "a loop that read until the end would stand still for all of the half second"
