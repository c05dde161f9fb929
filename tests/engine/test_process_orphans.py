from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from hooksd.engine.process_orphans import MARK, Family, adopt


def in_its_own_session(*argv: str, mark: str) -> int:
    # Not waited for by Popen: it stands for an orphan that came home.
    process = subprocess.Popen(argv, env={"PATH": "/usr/bin:/bin", MARK: mark}, start_new_session=True)
    process.returncode = 0
    return process.pid


async def dead(pid: int) -> None:
    """Return when a process has ended and nobody has waited for it."""
    async with asyncio.timeout(30):
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            await asyncio.sleep(0.01)


async def ends(pid: int, family: Family, mark: str) -> bool:
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        await family.end_marked(mark)
    return not Path(f"/proc/{pid}").exists()


def test_the_kernel_makes_us_the_parent_of_orphans() -> None:
    assert adopt()


async def test_an_orphan_with_the_mark_is_killed_and_waited_for() -> None:
    orphan = in_its_own_session("sleep", "300", mark="mine")

    assert await ends(orphan, Family(), "mine")


async def test_an_orphan_with_another_mark_is_left_alone() -> None:
    orphan = in_its_own_session("sleep", "300", mark="mine-too")

    await Family().end_marked("mine")

    assert Path(f"/proc/{orphan}").exists()
    assert await ends(orphan, Family(), "mine-too")


async def test_a_leader_is_left_to_who_started_it() -> None:
    family = Family()
    leader = in_its_own_session("sleep", "300", mark="mine")
    family.has_started(leader)

    assert not family.sweep("mine")
    family.is_over(leader)
    assert await ends(leader, family, "mine")


async def test_a_dead_orphan_is_waited_for_whatever_its_mark() -> None:
    orphan = in_its_own_session("true", mark="x")
    await dead(orphan)

    assert Family().sweep("y")
    assert not Path(f"/proc/{orphan}").exists()


async def test_a_child_in_our_own_session_is_never_touched() -> None:
    child = os.spawnve(os.P_NOWAIT, "/bin/sh", ["sh", "-c", "exit 4"], {MARK: "mine"})  # noqa: S606 - it is not a shell's
    await dead(child)

    assert not Family().sweep("mine")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


async def test_a_process_whose_name_imitates_the_kernels_list_is_read_right(tmp_path: Path) -> None:
    odd = tmp_path / "a) Z 1 1 1 ("
    odd.symlink_to("/bin/sleep")
    orphan = in_its_own_session(str(odd), "300", mark="odd")

    assert not Family().sweep("other"), "it is not taken for dead"
    assert await ends(orphan, Family(), "odd")


def test_what_is_gone_has_no_state_and_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family()
    monkeypatch.setattr(Family, "_orphans", lambda _: {2**22 + 1})

    assert not family.sweep("mine")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_one_descriptor_is_kept_to_look_with_until_nobody_looks_any_more() -> None:
    before = open_files()
    family = Family()

    await family.end_marked("mine")
    await family.end_marked("mine")
    assert open_files() == before + 1

    family.close()
    family.close()
    assert open_files() == before
