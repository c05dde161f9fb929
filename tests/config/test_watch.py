from __future__ import annotations

import asyncio
import errno
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hooksd.clock import Clock, SystemClock
from hooksd.config import watch
from hooksd.config.hints import Hints
from hooksd.config.tree import Scan, Tree, gather, look
from hooksd.config.watch import LONGEST_RESCAN, RESCAN, SHARE, Watcher, interval
from hooksd.testing import FakeClock
from tests.config.descriptors import no_descriptors
from tests.config.unprivileged import privileged, unprivileged

LONG = 30.0
"""Seconds within which anything must have been noticed, on a busy machine too."""

QUIET = 2.6
"""Seconds in which a scan that nobody hinted at has taken place."""


class Following:
    """What a watcher yields, one after the other."""

    def __init__(self) -> None:
        self._trees: asyncio.Queue[Tree] = asyncio.Queue()
        self.reports: list[str] = []

    async def follow(self, root: Path) -> None:
        watcher = Watcher(root, clock=SystemClock(), report=self.reports.append)
        async with aclosing(watcher.changes()) as changes:
            async for tree in changes:
                self._trees.put_nowait(tree)

    async def next(self) -> Tree:
        return await asyncio.wait_for(self._trees.get(), LONG)

    async def until(self, files: dict[str, bytes]) -> list[Tree]:
        """Return what comes up to the content that is expected."""
        trees = [await self.next()]
        while trees[-1].files != files:
            trees.append(await self.next())
        return trees

    async def is_quiet(self, seconds: float = QUIET) -> bool:
        await asyncio.sleep(seconds)
        return self._trees.empty()


@asynccontextmanager
async def following(root: Path) -> AsyncIterator[Following]:
    found = Following()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(found.follow(root))
        yield found
        task.cancel()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "hooks.d"
    directory.mkdir()
    (directory / "a.toml").write_bytes(b"a = 1\n")
    return directory


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", "-C", directory, *identity, *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture
def checkout(root: Path) -> Path:
    """A repository with the branches `main` (a and 20 more) and `other` (a differs, the 20 are not there)."""
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    git(root, "checkout", "-q", "-b", "other")
    (root / "a.toml").write_bytes(b"a = 'other'\n")
    git(root, "commit", "-q", "-a", "-m", "two")
    git(root, "checkout", "-q", "main")
    for number in range(20):
        (root / f"n{number}.toml").write_bytes(b"n = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "three")
    return root


MAIN = {"a.toml": b"a = 1\n"} | {f"n{number}.toml": b"n = 1\n" for number in range(20)}


async def test_the_content_is_yielded_at_once_and_then_not_again(root: Path) -> None:
    async with following(root) as found:
        assert (await found.next()).files == {"a.toml": b"a = 1\n"}
        assert await found.is_quiet()


async def test_a_save_is_noticed_within_a_quarter_of_a_second(root: Path) -> None:
    loop = asyncio.get_running_loop()
    async with following(root) as found:
        await found.next()
        await asyncio.sleep(0.5)
        took = []
        for number in range(5):
            began = loop.time()
            (root / "a.toml").write_bytes(b"a = %d\n" % (number + 2))
            assert (await found.next()).files == {"a.toml": b"a = %d\n" % (number + 2)}
            took.append(loop.time() - began)
    assert sorted(took)[2] < 0.25


async def test_a_change_of_one_file_costs_one_look_at_all_of_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []

    def looking(directory: Path) -> Scan:
        looks.append(None)
        return look(directory)

    async with following(root) as found:
        await found.next()
        monkeypatch.setattr("hooksd.config.watch.look", looking)
        monkeypatch.setattr(watch, "RESCAN", 1000.0)
        await asyncio.sleep(QUIET)
        looks.clear()
        (root / "a.toml").write_bytes(b"a = 2\n")
        await found.until({"a.toml": b"a = 2\n"})
        assert await found.is_quiet(0.5)
    assert 1 <= len(looks) <= 2  # two if it was seen between being emptied and being written


async def test_touch_and_chmod_are_no_changes(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        (root / "a.toml").touch()
        (root / "a.toml").chmod(0o640)
        (root / "a.toml").write_bytes(b"a = 1\n")
        assert await found.is_quiet()


async def test_a_save_by_rename_is_one_change(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        (root / ".a.toml.swp").write_bytes(b"a = 2\n")
        (root / "a.toml").rename(root / "a.toml~")
        (root / ".a.toml.swp").rename(root / "a.toml")
        assert (await found.next()).files == {"a.toml": b"a = 2\n"}
        assert await found.is_quiet(0.5)


async def test_five_hundred_files_at_once_are_one_change(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        for number in range(500):
            (root / f"n{number}.toml").write_bytes(b"n = 1\n")
        assert len((await found.next()).files) == 501
        assert await found.is_quiet(0.5)


async def test_a_deleted_file_is_a_change(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        (root / "a.toml").unlink()
        assert (await found.next()).files == {}


async def test_a_new_directory_is_watched_from_then_on(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        (root / "sub").mkdir()
        (root / "sub" / "b.toml").write_bytes(b"b = 1\n")
        assert (await found.next()).files.keys() == {"a.toml", "sub/b.toml"}
        await asyncio.sleep(0.5)
        (root / "sub" / "b.toml").write_bytes(b"b = 2\n")
        assert (await found.next()).files["sub/b.toml"] == b"b = 2\n"


async def test_a_checkout_of_another_branch_is_never_seen_half_done(checkout: Path) -> None:
    other = {"a.toml": b"a = 'other'\n"}
    async with following(checkout) as found:
        assert (await found.next()).files == MAIN
        for branch, content in [("other", other), ("main", MAIN)] * 3:
            await asyncio.to_thread(git, checkout, "checkout", "-q", branch)
            assert [tree.files for tree in await found.until(content)] == [content]


async def test_a_hard_reset_is_noticed(checkout: Path) -> None:
    async with following(checkout) as found:
        await found.next()
        (checkout / "a.toml").write_bytes(b"a = 'local'\n")
        assert (await found.next()).files["a.toml"] == b"a = 'local'\n"
        await asyncio.to_thread(git, checkout, "reset", "-q", "--hard", "other")
        assert (await found.until({"a.toml": b"a = 'other'\n"}))[-1].exists


async def test_a_pull_is_noticed(checkout: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(checkout), str(clone))
    async with following(clone) as found:
        assert (await found.next()).files == MAIN
        (checkout / "a.toml").write_bytes(b"a = 2\n")
        await asyncio.to_thread(git, checkout, "commit", "-q", "-a", "-m", "four")
        await asyncio.to_thread(git, clone, "pull", "-q")
        assert (await found.next()).files == MAIN | {"a.toml": b"a = 2\n"}


async def test_while_git_holds_its_lock_nothing_is_read(checkout: Path) -> None:
    async with following(checkout) as found:
        await found.next()
        (checkout / ".git" / "index.lock").touch()
        (checkout / "a.toml").write_bytes(b"a = 'half'\n")
        assert await found.is_quiet(1.0)
        (checkout / "a.toml").write_bytes(b"a = 'whole'\n")
        (checkout / ".git" / "index.lock").unlink()
        assert (await found.next()).files["a.toml"] == b"a = 'whole'\n"


async def test_a_lock_that_git_left_behind_does_not_stop_changes_for_ever(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SETTLE_BUSY", 0.5)
    (checkout / ".git" / "index.lock").touch()
    async with following(checkout) as found:
        assert (await found.next()).files == MAIN


async def test_the_lock_of_a_worktree_counts_as_well(checkout: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(checkout, "worktree", "add", "-q", str(tree), "other")
    async with following(tree) as found:
        await found.next()
        lock = checkout / ".git" / "worktrees" / "tree" / "index.lock"
        lock.touch()
        (tree / "a.toml").write_bytes(b"a = 2\n")
        assert await found.is_quiet(1.0)
        lock.unlink()
        assert (await found.next()).files == {"a.toml": b"a = 2\n"}


def replace_link(link: Path, target: Path) -> None:
    """Do what `ln -sfn` does with a rename."""
    fresh = link.with_name(link.name + ".new")
    fresh.symlink_to(target)
    fresh.rename(link)


def releases(parent: Path, inner: str = "") -> tuple[Path, Path]:
    found = []
    for name in ("one", "two"):
        directory = parent / "releases" / name / inner
        directory.mkdir(parents=True)
        (directory / "a.toml").write_text(f"a = '{name}'\n")
        found.append(parent / "releases" / name)
    return found[0], found[1]


async def test_swapping_the_link_that_is_the_directory_is_noticed(tmp_path: Path) -> None:
    one, two = releases(tmp_path)
    link = tmp_path / "hooks.d"
    link.symlink_to(one)
    async with following(link) as found:
        assert (await found.next()).files == {"a.toml": b"a = 'one'\n"}
        for target, content in ((two, b"a = 'two'\n"), (one, b"a = 'one'\n")):
            await asyncio.sleep(0.4)
            replace_link(link, target)
            assert (await found.next()).files == {"a.toml": content}


async def test_swapping_a_link_above_the_directory_is_noticed(tmp_path: Path) -> None:
    one, two = releases(tmp_path, "hooks.d")
    (tmp_path / "current").symlink_to(one)
    async with following(tmp_path / "current" / "hooks.d") as found:
        assert (await found.next()).files == {"a.toml": b"a = 'one'\n"}
        replace_link(tmp_path / "current", two)
        assert (await found.next()).files == {"a.toml": b"a = 'two'\n"}


async def test_an_update_of_a_kubernetes_config_map_is_one_change(root: Path) -> None:
    (root / "a.toml").unlink()
    for version in ("..2026_1", "..2026_2"):
        (root / version).mkdir()
        for name in ("a.toml", "b.toml"):
            (root / version / name).write_text(f"v = '{version}'\n")
    (root / "..data").symlink_to("..2026_1")
    for name in ("a.toml", "b.toml"):
        (root / name).symlink_to(f"..data/{name}")
    async with following(root) as found:
        assert (await found.next()).files == dict.fromkeys(("a.toml", "b.toml"), b"v = '..2026_1'\n")
        replace_link(root / "..data", Path("..2026_2"))
        shutil.rmtree(root / "..2026_1")
        assert (await found.next()).files == dict.fromkeys(("a.toml", "b.toml"), b"v = '..2026_2'\n")
        assert await found.is_quiet(0.5)


async def test_a_directory_that_is_deleted_and_comes_back_is_watched_again(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        shutil.rmtree(root)
        gone = await found.next()
        assert not gone.exists
        assert gone.files == {}
        root.mkdir()
        (root / "b.toml").write_bytes(b"b = 1\n")
        await found.until({"b.toml": b"b = 1\n"})
        await asyncio.sleep(0.5)
        (root / "b.toml").write_bytes(b"b = 2\n")
        assert (await found.next()).files == {"b.toml": b"b = 2\n"}


SLOW_WRITER = """
import sys, time
with open(sys.argv[1], "w") as file:
    for number in range(6):
        file.write(f"n{number} = 1\\n")
        file.flush()
        time.sleep(0.3)
"""


async def test_a_slow_writer_causes_one_change_after_it_ends_though_every_part_would_parse(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        command = [sys.executable, "-I", "-c", SLOW_WRITER, str(root / "slow.toml")]
        writer = await asyncio.create_subprocess_exec(*command)
        await writer.wait()
        whole = "".join(f"n{number} = 1\n" for number in range(6)).encode()
        assert (await found.next()).files["slow.toml"] == whole
        assert await found.is_quiet(0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own files that others read")
async def test_fresh_files_of_another_owner_get_more_time_because_their_writers_cannot_be_asked_for() -> None:
    loop = asyncio.get_running_loop()
    with unprivileged() as root:
        with privileged():
            (root / "a.toml").write_bytes(b"a = 1\n")
        async with following(root) as found:
            await found.next()
            with privileged():
                (root / "a.toml").write_bytes(b"a = 2\n")
            began = loop.time()
            assert (await found.next()).files == {"a.toml": b"a = 2\n"}
            assert watch.SETTLE_UNKNOWN <= loop.time() - began < LONG


HAMMER = """
import sys
for number in range(20000):
    with open(sys.argv[1], "w") as file:
        file.write(f"n = {number}\\n")
"""


async def test_asking_for_writers_in_the_instant_a_file_is_opened_harms_nobody(root: Path) -> None:
    path = str(root / "a.toml")
    writer = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", HAMMER, path)
    answers = set()
    while writer.returncode is None:
        answers |= await asyncio.to_thread(lambda: {watch._writers(path) for _ in range(1000)})
    assert writer.returncode == 0
    assert answers <= {"none", "open"}
    assert "open" in answers


async def test_a_file_that_cannot_be_read_is_named_beside_the_others(root: Path) -> None:
    # Reading a process's memory at its beginning fails for every user, root included.
    (root / "broken.toml").symlink_to("/proc/self/mem")
    async with following(root) as found:
        tree = await found.next()
    assert tree.files == {"a.toml": b"a = 1\n"}
    assert [line.partition(":")[0] for line in tree.unreadable] == ["broken.toml"]


async def test_strange_entries_beside_a_definition_do_not_keep_it_from_being_followed(root: Path) -> None:
    os.mkfifo(root / "pipe.toml")
    (root / "dir.toml").mkdir()
    (root / "loop").symlink_to(".")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.toml")).write_bytes(b"")
    async with following(root) as found:
        tree = await found.next()
        assert tree.files == {"a.toml": b"a = 1\n"}
        assert len(tree.problems) == 3
        (root / "a.toml").write_bytes(b"a = 2\n")
        assert (await found.next()).files == {"a.toml": b"a = 2\n"}


async def test_without_events_scans_alone_notice_changes_and_that_is_reported_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> Hints:
        raise OSError(errno.ENOSPC, "watch limit reached")

    monkeypatch.setattr(watch, "Hints", exhausted)
    monkeypatch.setattr(watch, "RESCAN", 0.3)
    async with following(root) as found:
        await found.next()
        for number in range(3):
            (root / "a.toml").write_bytes(b"n = %d\n" % number)
            assert (await found.next()).files == {"a.toml": b"n = %d\n" % number}
    assert len(found.reports) == 1
    assert "watch limit" in found.reports[0]


async def test_what_the_system_does_not_tell_of_is_found_beside_what_it_tells_of(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(Hints):
        def read(self) -> Collection[str] | None:
            told = super().read()
            return told and {path for path in told if not path.endswith("b.toml")}

    monkeypatch.setattr(watch, "Hints", Forgetful)
    monkeypatch.setattr(watch, "RESCAN", 1000.0)
    async with following(root) as found:
        await found.next()
        await asyncio.sleep(0.5)
        (root / "b.toml").write_bytes(b"b = 1\n")
        assert await found.is_quiet(0.5)
        (root / "a.toml").write_bytes(b"a = 2\n")
        assert (await found.next()).files == {"a.toml": b"a = 2\n", "b.toml": b"b = 1\n"}


async def test_events_that_the_system_lost_are_made_up_for_by_looking_everywhere(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overflowing(Hints):
        def read(self) -> Collection[str] | None:
            return None if super().read() else ()

    monkeypatch.setattr(watch, "Hints", Overflowing)
    monkeypatch.setattr(watch, "RESCAN", 1000.0)
    async with following(root) as found:
        await found.next()
        for number in range(3):
            (root / "a.toml").write_bytes(b"n = %d\n" % number)
            assert (await found.until({"a.toml": b"n = %d\n" % number}))[-1].exists


async def test_while_nothing_happens_nothing_is_woken_but_for_looking(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[None] = []

    class Counted(Hints):
        async def wait(self, seconds: float) -> None:
            await super().wait(seconds)
            woken.append(None)

    monkeypatch.setattr(watch, "Hints", Counted)
    monkeypatch.setattr(watch, "RESCAN", 0.5)
    async with following(root) as found:
        await found.next()
        assert await found.is_quiet(2.2)
    assert 1 <= len(woken) <= 6


LIMITED = """
import asyncio, sys
from pathlib import Path
from hooksd.clock import SystemClock
from hooksd.config.watch import LONGEST_RESCAN, RESCAN, SHARE, Watcher, interval
from hooksd.testing import FakeClock

async def main(root):
    async for tree in Watcher(root, clock=SystemClock(), report=print).changes():
        print(sorted(tree.files), flush=True)
        if len(tree.files) > 1:
            return
        (root / "b.toml").write_text("b = 1")

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
async def test_where_the_system_has_no_watches_left_changes_are_noticed_all_the_same(root: Path, limit: str) -> None:
    script = f'echo 0 > /proc/sys/user/{limit} || exit 77; exec "$@"'
    command = ["unshare", "-Ur", "sh", "-c", script, "sh", sys.executable, "-c", LIMITED, str(root)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(), 2 * LONG)
    if process.returncode != 0 and b"Traceback" not in err:
        pytest.skip("no user namespaces here")
    first, report, last = out.decode().splitlines()
    assert (first, last) == ("['a.toml']", "['a.toml', 'b.toml']")
    assert report.startswith("no events of the file system")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own directories that others may only pass")
async def test_a_directory_on_the_way_that_may_only_be_passed_does_not_stop_the_events() -> None:
    with unprivileged() as home:
        (home / "hooks.d").mkdir()
        (home / "hooks.d" / "a.toml").write_bytes(b"a = 1\n")
        (home / "hooks.d" / "a.toml").chmod(0o666)
        home.chmod(0o311)
        async with following(home / "hooks.d") as found:
            await found.next()
            (home / "hooks.d" / "a.toml").write_bytes(b"a = 2\n")
            assert (await found.next()).files == {"a.toml": b"a = 2\n"}
        assert found.reports == []


async def test_a_directory_that_may_not_be_looked_into_is_told_of_and_found_again() -> None:
    with unprivileged() as home:
        root = home / "hooks.d"
        root.mkdir()
        (root / "a.toml").write_bytes(b"a = 1\n")
        async with following(root) as found:
            await found.next()
            root.chmod(0)
            assert (await found.next()).unreadable == (".: permission denied",)
            root.chmod(0o700)
            (root / "a.toml").write_bytes(b"a = 2\n")
            assert (await found.next()).files == {"a.toml": b"a = 2\n"}


async def test_a_directory_that_vanishes_before_it_can_be_watched_is_looked_at_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def late(paths: list[str], *, clock: Clock) -> Hints:
        nonlocal calls
        calls += 1
        return Hints([*paths, *(["/nonexistent"] if calls == 1 else [])], clock=clock)

    monkeypatch.setattr(watch, "Hints", late)
    async with following(root) as found:
        await found.next()
        for number in range(2):
            (root / "a.toml").write_bytes(b"n = %d\n" % number)
            assert (await found.next()).files == {"a.toml": b"n = %d\n" % number}
    assert calls == 2
    assert found.reports == []


async def test_a_change_without_a_descriptor_to_look_with_is_seen_when_there_is_one(root: Path) -> None:
    async with following(root) as found:
        await found.next()
        with (root / "a.toml").open("r+b", buffering=0) as file:
            await asyncio.sleep(0.1)
            with no_descriptors():
                file.write(b"b")
                os.truncate(root / "a.toml", 5)
                assert await found.is_quiet(), "holes were taken for a change"
        assert await found.until({"a.toml": b"b = 1"}) == [Tree(files={"a.toml": b"b = 1"})]


async def test_a_file_that_is_written_all_the_time_is_read_in_the_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.5)
    async with asyncio.TaskGroup() as group:
        restless = group.create_task(write_for_ever(root / "a.toml"))
        await asyncio.sleep(0)
        tree = await asyncio.wait_for(Watcher(root, clock=SystemClock(), report=print).tree(), LONG)
        restless.cancel()
    assert tree.files["a.toml"].startswith(b"n = ")


async def test_a_file_that_changes_within_every_look_is_a_hole_in_the_set(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.3)
    monkeypatch.setattr(watch, "gather", lambda *_: None)
    tree = await Watcher(root, clock=SystemClock(), report=print).tree()
    assert tree == Tree(unreadable=(".: the files change faster than they can be read",))


async def test_a_file_that_changed_within_the_last_look_is_looked_at_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a.toml").write_bytes(b"a = 1")
    changed_meanwhile = iter(range(3))

    def gathered(*asked: Any) -> Tree | None:
        return gather(*asked) if next(changed_meanwhile, None) is None else None

    monkeypatch.setattr(watch, "PATIENCE", 0.0)
    monkeypatch.setattr(watch, "gather", gathered)
    tree = await Watcher(root, clock=SystemClock(), report=print).tree()
    assert tree.files == {"a.toml": b"a = 1"}


async def write_for_ever(path: Path) -> None:
    """Write over what is there: the file is never empty, whenever somebody reads it."""
    for number in itertools.count():
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.write(file, b"n = %09d\n" % number)
        os.close(file)
        await asyncio.sleep(0.02)


async def test_a_writer_that_rests_keeps_others_waiting_as_long_as_its_file_is_open(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SETTLE_BUSY", 1.0)
    loop = asyncio.get_running_loop()
    with (root / "a.toml").open("wb") as file:
        file.write(b"half = 1\n")
        file.flush()
        began = loop.time()
        tree = await Watcher(root, clock=SystemClock(), report=print).tree()
    assert tree.files == {"a.toml": b"half = 1\n"}
    assert loop.time() - began >= 1.0


async def test_a_directory_without_changes_is_scanned_every_two_seconds_and_not_more(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = 0

    def counted(path: Path) -> Scan:
        nonlocal scans
        scans += 1
        return look(path)

    async with following(root) as found:
        await found.next()
        await asyncio.sleep(0.5)
        monkeypatch.setattr(watch, "look", counted)
        await found.is_quiet(4.5)
    assert 1 <= scans <= 3


@pytest.mark.parametrize(("took", "seconds"), [(0.0001, 2.0), (0.006, 2.0), (0.045, 15.0), (0.15, 50.0), (9.0, 60.0)])
def test_where_every_change_is_told_scans_take_a_small_part_of_the_time(took: float, seconds: float) -> None:
    assert interval(took, is_told=True) == pytest.approx(seconds)
    assert took / interval(took, is_told=True) <= SHARE + took / LONGEST_RESCAN
    assert interval(took, is_told=False) == RESCAN


class Busy(FakeClock):
    """A clock that looking at the directory moves."""

    def spend(self, seconds: float) -> None:
        self._now += seconds


class Looks:
    """How a watcher looks at a directory when each look takes 45 ms, in virtual time."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Busy()
        self.at: list[float] = []
        self.trees: list[Tree] = []
        self._root = root
        monkeypatch.setattr(watch, "look", self._look)
        monkeypatch.setattr(asyncio, "to_thread", self._here)

    def _look(self, root: Path) -> Scan:
        self.at.append(self.clock.monotonic())
        self.clock.spend(0.045)
        return look(root)

    async def _here(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    async def _follow(self) -> None:
        async with aclosing(Watcher(self._root, clock=self.clock, report=print).changes()) as changes:
            async for tree in changes:
                self.trees.append(tree)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Looks]:
        """Let the watcher begin, and forget its first looks."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._follow())
            await self.clock.advance(1.0)
            assert len(self.trees) == 1
            self.at.clear()
            yield self
            task.cancel()

    async def within(self, seconds: float) -> int:
        """Return how often everything was looked at within some time."""
        before = len(self.at)
        await self.clock.advance(seconds)
        return len(self.at) - before


async def test_scans_of_many_files_are_fifteen_seconds_apart_where_the_system_tells_of_changes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Looks(root, monkeypatch).following() as looks:
        assert await looks.within(60.0) == 4
        assert {round(after - before) for before, after in itertools.pairwise(looks.at)} == {15}


@pytest.mark.parametrize("reason", ["blind", "network", "unreadable"])
async def test_scans_are_two_seconds_apart_where_the_system_does_not_tell_of_all_changes(
    root: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def exhausted(*_: object, **__: object) -> Hints:
        raise OSError(errno.ENOSPC, "watch limit reached")

    if reason == "blind":
        monkeypatch.setattr(watch, "Hints", exhausted)
    elif reason == "network":
        monkeypatch.setattr("hooksd.config.hints._file_system", lambda *_: 0x6969)
    else:
        monkeypatch.setattr(os, "access", lambda path, *_, **__: path == str(root))
    async with Looks(root, monkeypatch).following() as looks:
        assert 28 <= await looks.within(60.0) <= 31


async def test_events_that_were_lost_bring_the_next_scan_nearer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = False

    class Losing(Hints):
        def read(self) -> Collection[str] | None:
            return None if lost else super().read()

    monkeypatch.setattr(watch, "Hints", Losing)
    async with Looks(root, monkeypatch).following() as looks:
        assert await looks.within(16.0) == 1
        lost = True
        assert await looks.within(10.0) == 5
        lost = False
        assert await looks.within(32.0) == 3


async def test_what_nobody_told_of_is_found_by_the_next_scan(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Hints):
        def read(self) -> Collection[str] | None:
            super().read()
            return ()

    monkeypatch.setattr(watch, "Hints", Deaf)
    async with Looks(root, monkeypatch).following() as looks:
        (root / "a.toml").write_bytes(b"a = 2\n")
        await looks.clock.advance(16.5)
        assert [tree.files for tree in looks.trees] == [{"a.toml": b"a = 1\n"}, {"a.toml": b"a = 2\n"}]


async def test_a_directory_that_was_moved_with_those_above_it_is_missed_within_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a" / "b" / "hooks.d"
    root.mkdir(parents=True)
    (root / "a.toml").write_bytes(b"a = 1\n")
    async with Looks(root, monkeypatch).following() as looks:
        (tmp_path / "a").rename(tmp_path / "gone")
        await looks.clock.advance(3.0)
        assert [tree.exists for tree in looks.trees] == [True, False]
        (tmp_path / "gone").rename(tmp_path / "a")
        await looks.clock.advance(3.0)
        assert looks.trees[2] == looks.trees[0]


async def test_the_tree_now_can_be_asked_for_while_changes_are_followed(root: Path) -> None:
    watcher = Watcher(root, clock=SystemClock(), report=print)
    async with aclosing(watcher.changes()) as changes:
        first = await anext(changes)
        (root / "a.toml").write_bytes(b"a = 2\n")
        assert (await watcher.tree()).files == {"a.toml": b"a = 2\n"}
        assert (await asyncio.wait_for(anext(changes), LONG)).files == {"a.toml": b"a = 2\n"}
        assert first.files == {"a.toml": b"a = 1\n"}
