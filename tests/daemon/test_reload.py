from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hooksd.clock import SystemClock
from hooksd.config.load import Loaded, Loader
from hooksd.config.snapshot import Snapshot
from hooksd.config.tree import NOT_READ, Tree
from hooksd.daemon.judge import Checker, Pause
from hooksd.daemon.memory import GC_THRESHOLD, TURN
from hooksd.daemon.reload import RETRY, Reloader, Status
from hooksd.errors import DefinitionsRejected, JournalBroken, JournalFull
from hooksd.journal.memory import MemoryJournal
from hooksd.model.base import Json
from hooksd.model.definitions import Definitions
from hooksd.model.record import ConfigApplied, ConfigHeld, ConfigRejected
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock
from tests.config.sets import store

ROLE = '[roles.NAME]\nallow = ["send:x"]\n'
BROKEN = Tree(files={"roles.toml": b"version ="})


def roles(count: int, salt: str = "") -> Tree:
    text = f"version = 1\n# {salt}\n" + "".join(ROLE.replace("NAME", f"r{number}") for number in range(count))
    return Tree(files={"roles.toml": text.encode()})


class FakeSource:
    """A directory whose content a test sets."""

    def __init__(self, now: Tree) -> None:
        self.now = now
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_waiting = False
        """Everything that changed has been taken."""
        self._changes: asyncio.Queue[Tree] = asyncio.Queue()

    def change(self, tree: Tree) -> None:
        self.now = tree
        self._changes.put_nowait(tree)

    async def tree(self) -> Tree:
        await self.gate.wait()
        return self.now

    async def changes(self) -> AsyncGenerator[Tree, None]:
        yield self.now
        while True:
            self.is_waiting = self._changes.empty()
            tree = await self._changes.get()
            self.is_waiting = False
            yield tree


class House:
    """A reloader and everything around it."""

    def __init__(self, root: Path, first: Tree, *, loader: Checker | None = None) -> None:
        self.source = FakeSource(first)
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.observer = Observer()
        self.published: list[Snapshot] = []
        self.announced: list[tuple[str, dict[str, Json]]] = []
        self.refuse: Exception | None = None
        secrets = store(root)
        self.reloader = Reloader(
            root=root,
            loader=loader or Loader(secrets=secrets, allow_inline_secrets=False),
            secrets=secrets,
            journal=self.journal,
            clock=self.clock,
            publish=self._publish,
            announce=self._announce,
            observer=self.observer,
            source=self.source,
        )

    @property
    def status(self) -> Status:
        return self.reloader.status

    @property
    def running(self) -> int:
        """How many roles are in force."""
        return len(self.published[-1].roles)

    def kinds(self) -> list[str]:
        return [record.type for record in self.journal.records]

    def _publish(self, snapshot: Snapshot) -> None:
        assert self.status.state == "APPLYING"
        self.published.append(snapshot)

    async def _announce(self, kind: str, body: dict[str, Json]) -> None:
        if self.refuse:
            raise self.refuse
        self.announced.append((kind, body))

    async def following(self, act: Callable[[], object], until: Callable[[], bool]) -> None:
        """Follow the files while something happens, up to a moment that must come."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.reloader.run())
            await eventually(lambda: self.source.is_waiting)
            act()
            await eventually(until)
            task.cancel()


class Circle:
    """What only the collector can free."""

    itself: Circle


async def eventually(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_true():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_the_first_set_is_recorded_and_published_and_not_announced(tmp_path: Path) -> None:
    house = House(tmp_path, roles(2))
    await house.reloader.start()
    [record] = house.journal.records
    assert isinstance(record, ConfigApplied)
    assert (record.counts["roles"], record.added) == (2, ())
    assert house.status.state == "IN_SYNC"
    assert house.status.revision == house.status.running == record.revision == house.published[0].revision.id
    assert house.announced == []


async def test_a_broken_first_set_stops_the_start_and_says_where(tmp_path: Path) -> None:
    house = House(tmp_path, BROKEN)
    with pytest.raises(DefinitionsRejected, match=r"roles\.toml:1:") as caught:
        await house.reloader.start()
    assert caught.value.exit_status == 78
    assert (house.published, house.journal.records) == ([], [])


async def test_a_first_set_with_a_hole_stops_the_start(tmp_path: Path) -> None:
    house = House(tmp_path, Tree(unreadable=("a.toml: permission denied",)))
    with pytest.raises(DefinitionsRejected, match="permission denied"):
        await house.reloader.start()


async def test_a_missing_directory_stops_the_start_and_says_what_to_do(tmp_path: Path) -> None:
    house = House(tmp_path / "hooks.d", Tree(exists=False))
    with pytest.raises(DefinitionsRejected, match=r"there is no directory .*hooks\.d: make it"):
        await house.reloader.start()


async def test_an_empty_directory_is_a_start_with_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, Tree())
    await house.reloader.start()
    assert house.status.state == "IN_SYNC"
    assert house.running == 0


async def test_a_change_is_recorded_published_and_announced_in_that_order(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    await house.following(lambda: house.source.change(roles(2)), lambda: bool(house.announced))
    record = house.journal.records[-1]
    assert isinstance(record, ConfigApplied)
    assert record.added == ("role/r1",)
    assert house.running == 2
    [(kind, body)] = house.announced
    assert (kind, body["added"], body["revision"]) == ("config.applied", ("role/r1",), record.revision)
    assert body.keys() == {"revision", "commit", "dirty", "counts", "added", "changed", "removed"}


async def test_following_the_files_does_not_apply_the_first_set_again(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    await house.following(lambda: house.source.change(roles(2)), lambda: len(house.published) == 2)
    assert house.kinds() == ["config.applied"] * 2


async def test_a_broken_set_leaves_the_old_one_running_and_says_why(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    await house.following(lambda: house.source.change(BROKEN), lambda: bool(house.announced))
    assert house.status.state == "REJECTED"
    assert house.status.revision != house.status.running == house.published[0].revision.id
    assert house.status.diagnostics[0].file == "roles.toml"
    assert len(house.published) == 1
    record = house.journal.records[-1]
    assert isinstance(record, ConfigRejected)
    assert (record.revision, record.running) == (house.status.revision, house.status.running)
    assert record.diagnostics[0]["code"] == "H002"
    assert house.announced[0][0] == "config.rejected"


async def test_a_broken_set_that_is_reverted_is_in_sync_again_without_a_record(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()

    def act() -> None:
        house.source.change(BROKEN)
        house.source.change(roles(1))

    await house.following(act, lambda: bool(house.announced) and house.status.state == "IN_SYNC")
    assert house.kinds() == ["config.applied", "config.rejected"]
    assert len(house.published) == 1
    assert house.status.revision == house.status.running
    assert house.status.diagnostics == ()


async def test_a_rejected_set_is_recorded_once_however_often_it_is_judged(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.source.now = BROKEN
    first = await house.reloader.reload()
    for _ in range(3):
        assert await house.reloader.reload() == first
    assert house.kinds() == ["config.applied", "config.rejected"]
    house.source.now = Tree(files={"roles.toml": b"version = 1\nx ="})
    assert (await house.reloader.reload()).state == "REJECTED"
    assert house.kinds() == ["config.applied", "config.rejected", "config.rejected"]


async def test_a_set_that_removes_too_much_is_held_and_the_old_one_runs(tmp_path: Path) -> None:
    house = House(tmp_path, roles(6))
    await house.reloader.start()
    await house.following(lambda: house.source.change(roles(1)), lambda: bool(house.announced))
    assert house.status.state == "HELD"
    assert house.status.reason == "it would remove 5 of 6 definitions"
    assert house.status.removed == tuple(f"role/r{number}" for number in range(1, 6))
    assert house.running == 6
    record = house.journal.records[-1]
    assert isinstance(record, ConfigHeld)
    assert house.announced[0][0] == "config.held"


async def test_a_held_set_is_applied_when_exactly_its_revision_is_accepted(tmp_path: Path) -> None:
    house = House(tmp_path, roles(6))
    await house.reloader.start()
    house.source.now = roles(1)
    held = await house.reloader.reload()
    assert held.state == "HELD"
    assert (await house.reloader.reload("somethingelse")).state == "HELD"
    house.source.now = roles(1, "another content")
    assert (await house.reloader.reload(held.revision)).state == "HELD"
    house.source.now = roles(1)
    assert (await house.reloader.reload(held.revision)).state == "IN_SYNC"
    assert house.running == 1


async def test_a_held_set_is_over_when_the_content_comes_back(tmp_path: Path) -> None:
    house = House(tmp_path, roles(6))
    await house.reloader.start()

    def act() -> None:
        house.source.change(Tree(exists=False))
        house.source.change(roles(6))

    await house.following(act, lambda: bool(house.announced) and house.status.state == "IN_SYNC")
    assert house.kinds() == ["config.applied", "config.held"]
    assert len(house.published) == 1


async def test_asked_for_a_reload_judges_what_lies_there_now(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.source.now = roles(2)
    status = await house.reloader.reload()
    assert (status.state, status.running) == ("IN_SYNC", house.published[-1].revision.id)
    assert house.running == 2


async def test_asked_for_a_reload_reads_secrets_again_without_a_record(tmp_path: Path) -> None:
    (tmp_path / "hush").write_text("first-secret\n")
    text = b'version = 1\n[endpoints.e]\nurl = "https://x.test/{{ secrets.hush }}"\n'
    house = House(tmp_path, Tree(files={"e.toml": text}))
    await house.reloader.start()
    (tmp_path / "hush").write_text("second-secret\n")
    assert (await house.reloader.reload()).state == "IN_SYNC"
    assert house.published[-1].endpoints["e"].url == "https://x.test/second-secret"
    assert house.kinds() == ["config.applied"]
    assert house.announced == []


async def test_a_secret_that_is_gone_rejects_a_set_that_did_not_change_until_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "hush").write_text("first-secret\n")
    text = b'version = 1\n[endpoints.e]\nurl = "https://x.test/{{ secrets.hush }}"\n'
    house = House(tmp_path, Tree(files={"e.toml": text}))
    await house.reloader.start()
    (tmp_path / "hush").unlink()
    status = await house.reloader.reload()
    assert status.state == "REJECTED"
    assert status.revision == status.running
    assert len(house.published) == 1
    (tmp_path / "hush").write_text("third-secret\n")
    assert (await house.reloader.reload()).state == "IN_SYNC"
    assert house.published[-1].endpoints["e"].url == "https://x.test/third-secret"


async def test_without_room_for_the_record_nothing_changes_until_there_is(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.journal.fail_with(JournalFull("disk full"))
    house.source.change(roles(2))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(house.reloader.run())
        await eventually(lambda: house.clock.sleeping == 1)
        assert house.status.state == "IN_SYNC"
        assert house.running == 1
        house.journal.fail_with(None)
        await house.clock.advance(RETRY)
        await eventually(lambda: house.running == 2)
        task.cancel()
    assert house.kinds() == ["config.applied"] * 2


async def test_asked_for_a_reload_without_room_tells_who_asked(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    before = house.status
    house.journal.fail_with(JournalFull("disk full"))
    for content in (roles(2), BROKEN):
        house.source.now = content
        with pytest.raises(JournalFull):
            await house.reloader.reload()
        assert house.status == before
    assert len(house.published) == 1


async def test_a_log_at_its_end_ends_the_following(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.journal.fail_with(JournalBroken("EIO"))
    house.source.change(roles(2))
    with pytest.raises(JournalBroken):
        await house.reloader.run()


async def test_a_notice_that_finds_no_room_does_not_undo_what_is_in_force(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.refuse = JournalFull("disk full")
    house.source.now = roles(2)
    assert (await house.reloader.reload()).state == "IN_SYNC"
    assert house.running == 2


async def test_an_error_of_our_own_rejects_the_set_and_ends_nothing(tmp_path: Path) -> None:
    class Moody:
        def __init__(self) -> None:
            self._loader = Loader(secrets=store(), allow_inline_secrets=False)

        def load(self, files: Mapping[str, bytes], pause: Pause) -> Loaded:
            if b"# sad" in files["roles.toml"]:
                raise RecursionError
            return self._loader.load(files, pause)

    house = House(tmp_path, roles(1), loader=Moody())
    await house.reloader.start()

    def act() -> None:
        house.source.change(roles(1, "sad"))
        house.source.change(roles(3))

    await house.following(act, lambda: len(house.announced) == 2)
    assert [kind for kind, _ in house.announced] == ["config.rejected", "config.applied"]
    assert house.running == 3
    assert b'hooksd_tasks_failed_total{task="reload"} 1.0' in house.observer.metrics.render()


async def test_requests_for_a_reload_wait_for_each_other(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.source.now = roles(2)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(house.reloader.reload()) for _ in range(3)]
    assert {task.result().revision for task in asked} == {house.published[-1].revision.id}
    assert house.kinds() == ["config.applied"] * 2


async def test_a_tree_that_waited_for_a_request_does_not_replace_newer_content(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(house.reloader.run())
        await eventually(lambda: house.source.is_waiting)
        house.source.gate.clear()
        asked = group.create_task(house.reloader.reload())
        await asyncio.sleep(0)
        house.source.change(roles(2))
        await eventually(lambda: not house.source.is_waiting)
        house.source.now = roles(4)
        house.source.gate.set()
        assert (await asked).state == "IN_SYNC"
        await eventually(lambda: house.source.is_waiting)
        task.cancel()
    assert [len(snapshot.roles) for snapshot in house.published] == [1, 4]


async def test_what_was_left_out_is_a_warning_beside_a_set_in_force(tmp_path: Path) -> None:
    odd = Tree(files=roles(1).files, problems=("pipe.toml: left out, it is not a regular file",))
    house = House(tmp_path, odd)
    await house.reloader.start()
    assert house.status.state == "IN_SYNC"
    assert [item.severity for item in house.status.diagnostics] == ["warning"]


async def test_what_is_left_out_later_or_no_longer_is_told_without_a_change_of_the_set(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    odd = Tree(files=roles(1).files, problems=(f"deploy.yaml: {NOT_READ}",))
    await house.following(lambda: house.source.change(odd), lambda: bool(house.status.diagnostics))
    assert [(item.code, item.file) for item in house.status.diagnostics] == [("H008", "deploy.yaml")]
    await house.following(lambda: house.source.change(roles(1)), lambda: not house.status.diagnostics)
    assert len(house.published) == 1


async def test_what_was_left_out_is_still_told_when_a_broken_set_is_reverted(tmp_path: Path) -> None:
    odd = Tree(files=roles(1).files, problems=(f"deploy.yaml: {NOT_READ}",))
    house = House(tmp_path, odd)
    await house.reloader.start()
    house.source.now = BROKEN
    assert (await house.reloader.reload()).state == "REJECTED"
    await house.following(lambda: house.source.change(odd), lambda: house.status.state == "IN_SYNC")
    assert [item.code for item in house.status.diagnostics] == ["H008"]


async def test_the_status_as_json_has_no_objects_in_it(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    house.source.now = BROKEN
    tree = (await house.reloader.reload()).as_json()
    assert tree.keys() == {"state", "since", "revision", "running", "diagnostics", "reason", "removed"}
    assert (tree["state"], tree["removed"]) == ("REJECTED", [])
    assert tree["diagnostics"][0]["file"] == "roles.toml"


async def test_what_is_in_force_is_out_of_the_collectors_sight(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    assert gc.get_threshold() == GC_THRESHOLD
    assert gc.get_freeze_count() > 0


async def test_what_was_frozen_by_chance_is_collected_after_some_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooksd.daemon.reload.THOROUGH", 3)
    monkeypatch.setattr("hooksd.daemon.memory.MUCH", 10**9)  # whatever else these tests have left in memory
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    circle = Circle()
    circle.itself = circle
    gone = weakref.ref(circle)
    gc.freeze()
    del circle
    house.source.now = roles(2)
    await house.reloader.reload()
    assert gone() is not None
    house.source.now = roles(3)
    await house.reloader.reload()
    assert gone() is None
    assert gc.get_freeze_count() > 0


async def test_much_that_was_frozen_is_never_looked_through_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooksd.daemon.reload.THOROUGH", 1)
    monkeypatch.setattr("hooksd.daemon.memory.MUCH", 0)
    circle = Circle()
    circle.itself = circle
    gone = weakref.ref(circle)
    gc.freeze()
    del circle
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    assert gone() is not None


class Watching:
    """A loader that notes how the interpreter is set while it loads, and in which thread it runs."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, bool, bool]] = []

    def load(self, files: Mapping[str, bytes], pause: Pause) -> Loaded:  # noqa: ARG002 - see Checker
        in_main = threading.current_thread() is threading.main_thread()
        self.seen.append((sys.getswitchinterval(), gc.isenabled(), in_main))
        if b"boom" in b"".join(files.values()):
            raise RecursionError
        return Loaded(definitions=Definitions(), diagnostics=())


async def test_a_set_is_judged_beside_the_loop_which_goes_first(tmp_path: Path) -> None:
    before = sys.getswitchinterval()
    loader = Watching()
    house = House(tmp_path, roles(1), loader=loader)
    await house.reloader.start()
    house.source.now = Tree(files={"boom.toml": b"boom"})
    await house.reloader.reload()
    assert [(round(turn, 6), *rest) for turn, *rest in loader.seen] == [(TURN, False, False)] * 2
    assert sys.getswitchinterval() == before
    assert gc.isenabled()


async def test_an_old_set_is_let_go_of_without_the_collector(tmp_path: Path) -> None:
    house = House(tmp_path, roles(1))
    await house.reloader.start()
    old = weakref.ref(house.published[0].roles["r0"])
    gc.disable()
    house.source.now = Tree(files={"roles.toml": b"version = 1\n[roles.r0]\nallow = []\n"})
    await house.reloader.reload()
    house.published.pop(0)
    await eventually(lambda: old() is None)  # the thread that judged lets go of it a little later


async def test_by_default_the_directory_itself_is_watched(tmp_path: Path) -> None:
    (tmp_path / "roles.toml").write_bytes(roles(1).files["roles.toml"])
    published: list[Snapshot] = []

    async def announce(kind: str, body: dict[str, Json]) -> None:
        """Nobody listens."""

    reloader = Reloader(
        root=tmp_path,
        loader=Loader(secrets=store(), allow_inline_secrets=False),
        secrets=store(),
        journal=MemoryJournal(),
        clock=SystemClock(),
        publish=published.append,
        announce=announce,
        observer=Observer(),
    )
    await reloader.start()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reloader.run())
        (tmp_path / "roles.toml").write_bytes(roles(2).files["roles.toml"])
        await eventually(lambda: len(published) == 2)
        task.cancel()
    assert published[-1].roles.keys() == {"r0", "r1"}
