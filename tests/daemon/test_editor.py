from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import tomli

from hooksd.config.load import Loader
from hooksd.config.secrets import SecretStore
from hooksd.config.tree import Tree, scan
from hooksd.daemon.control import Current
from hooksd.daemon.editor import FileEditor
from hooksd.daemon.reload import Reloader
from hooksd.journal.memory import MemoryJournal
from hooksd.model.base import Json
from hooksd.telemetry.observer import Observer
from hooksd.testing import FakeClock
from hooksd.web.editing import Declined, Done, Wanted
from tests.config.unprivileged import unprivileged

NOON = "2026-11-22T12:00:00.000Z"
OPEN: dict[str, Json] = {"auth": {"type": "none"}}
SHARED = """\
version = 1
on = "webhook:shop"

[webhooks.shop]
auth.type = "none"

[[steps]]
fail = "closed"
"""
ONE = "[webhooks.w{}]\nauth.type = 'none'\n"
ALONE = "# of the shop\nversion = 1\n\n[webhooks.shop]\nauth.type = 'none' # for now\n"


class Directory:
    """What the directory holds, without waiting."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def tree(self) -> Tree:
        return scan(self.root)

    async def changes(self) -> AsyncGenerator[Tree, None]:
        yield scan(self.root)


class Shop:
    """A directory, what keeps it in force, and an editor."""

    def __init__(self, root: Path, *, allow_inline: bool = False) -> None:
        self.root = root / "hooks.d"
        self.root.mkdir()
        self.clock = FakeClock()
        self.current = Current()
        secrets = SecretStore(credentials_dir=root, environment={}, allow_inline=allow_inline, base_dir=root)
        self.reloader = Reloader(
            root=self.root,
            loader=Loader(secrets=secrets, allow_inline_secrets=allow_inline),
            secrets=secrets,
            journal=MemoryJournal(),
            clock=self.clock,
            publish=self.current.publish,
            announce=self._announce,
            observer=Observer(),
            source=Directory(self.root),
        )
        self.editor = FileEditor(
            root=self.root, stage=self.reloader, current=self.current, clock=self.clock, observer=Observer()
        )

    async def _announce(self, kind: str, body: dict[str, Json]) -> None:
        pass

    async def opened(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).write_text(text)
        await self.reloader.start()

    async def put(self, name: str, content: dict[str, Json] | str, **more: Any) -> Done | Declined:
        return await self.editor.put(Wanted(name=name, content=content, by="ada", **more))

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.root)): path.read_text() for path in self.root.rglob("*") if path.is_file()}

    def document(self, name: str) -> dict[str, Json]:
        return dict(self.current().definitions.webhooks[name].document)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_a_new_webhook_is_a_file_of_its_own_and_in_force_when_the_answer_comes(shop: Shop) -> None:
    await shop.opened({})

    assert await shop.put("leads", {**OPEN, "event": "lead.created"}) == Done(created=True)

    assert shop.current().by_path["/hooks/leads"].name == "leads"
    assert list(shop.files()) == ["webhooks/leads.toml"]
    assert shop.document("leads") == {
        **OPEN,
        "event": "lead.created",
        "created_at": NOON,
        "created_by": "ada",
        "updated_at": NOON,
        "updated_by": "ada",
    }


async def test_a_change_keeps_when_and_by_whom_it_was_created(shop: Shop) -> None:
    await shop.opened({})
    await shop.put("leads", OPEN)
    await shop.clock.advance(60)

    changed = await shop.editor.put(
        Wanted(name="leads", content={**OPEN, "enabled": False, "created_by": "mallory"}, by="bob")
    )

    assert changed == Done()
    assert shop.document("leads") == {
        **OPEN,
        "enabled": False,
        "created_at": NOON,
        "created_by": "ada",
        "updated_at": "2026-11-22T12:01:00.000Z",
        "updated_by": "bob",
    }


async def test_a_change_that_changes_nothing_writes_nothing(shop: Shop) -> None:
    await shop.opened({})
    await shop.put("leads", OPEN)
    before = (shop.root / "webhooks/leads.toml").stat().st_mtime_ns
    await shop.clock.advance(60)

    assert await shop.put("leads", OPEN) == Done()
    assert (shop.root / "webhooks/leads.toml").stat().st_mtime_ns == before


async def test_a_bad_definition_is_refused_with_the_diagnostics_of_a_commit_and_nothing_is_written(shop: Shop) -> None:
    await shop.opened({})

    declined = await shop.put("leads", {"auth": {"type": "none"}, "pth": "/leads"})

    assert isinstance(declined, Declined)
    assert declined.reason == "invalid"
    (problem,) = declined.diagnostics
    assert (problem.code, problem.file, problem.line, problem.hint) == (
        "H012",
        "webhooks/leads.toml",
        5,
        "did you mean `path`?",
    )
    assert shop.files() == {}


async def test_text_that_is_no_toml_is_refused_where_it_is_wrong(shop: Shop) -> None:
    await shop.opened({})
    await shop.put("leads", OPEN)

    declined = await shop.put("leads", "version = 1\n[webhooks.leads\n")

    assert isinstance(declined, Declined)
    assert [(item.code, item.line) for item in declined.diagnostics] == [("H002", 2)]


async def test_what_another_webhook_has_is_refused(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})

    declined = await shop.put("leads", {**OPEN, "path": "/hooks/shop"})

    assert isinstance(declined, Declined)
    assert [item.code for item in declined.diagnostics] == ["H031"]
    assert list(shop.files()) == ["shop.toml"]


async def test_a_file_of_a_person_that_holds_only_the_webhook_is_changed_with_its_comments(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})

    assert await shop.put("shop", {**OPEN, "enabled": False}) == Done()

    text = shop.files()["shop.toml"]
    assert text.startswith(ALONE)
    assert tomli.loads(text)["webhooks"]["shop"]["enabled"] is False
    assert tomli.loads(text)["webhooks"]["shop"]["updated_by"] == "ada"
    assert "created_by" not in text


async def test_a_file_that_holds_anything_else_is_never_touched(shop: Shop) -> None:
    await shop.opened({"shop.toml": SHARED})

    changed = await shop.put("shop", {**OPEN, "enabled": False})
    removed = await shop.editor.delete("shop", by="ada", known=None)

    for declined in (changed, removed):
        assert isinstance(declined, Declined)
        assert declined.reason == "conflict"
        assert "shop.toml:4" in declined.detail
        assert "change that file itself" in declined.detail
    assert shop.files() == {"shop.toml": SHARED}


async def test_a_webhook_in_json_is_left_to_people(shop: Shop) -> None:
    await shop.opened({"shop.json": '{"version": 1, "webhooks": {"shop": {"auth": {"type": "none"}}}}'})

    declined = await shop.put("shop", {**OPEN, "enabled": False})

    assert isinstance(declined, Declined)
    assert "not written in TOML" in declined.detail


async def test_a_file_that_is_in_the_way_is_not_overwritten(shop: Shop) -> None:
    (shop.root / "webhooks").mkdir()
    await shop.opened({"webhooks/leads.toml": "version = 1\n[webhooks.other]\nauth.type = 'none'\n"})

    declined = await shop.put("leads", OPEN)

    assert isinstance(declined, Declined)
    assert declined.reason == "conflict"
    assert "is there already" in declined.detail


async def test_creating_what_is_there_is_a_conflict(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})

    declined = await shop.put("shop", OPEN, create=True)

    assert isinstance(declined, Declined)
    assert declined.detail == "there is a webhook 'shop' already, in shop.toml:4"


async def test_a_change_of_what_somebody_else_has_changed_is_stale(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})
    known = shop.current().definitions.webhooks["shop"].digest
    await shop.put("shop", {**OPEN, "description": "first"}, known=known)

    second = await shop.put("shop", {**OPEN, "description": "second"}, known=known)
    removal = await shop.editor.delete("shop", by="bob", known=known)

    assert isinstance(second, Declined)
    assert isinstance(removal, Declined)
    assert {second.reason, removal.reason} == {"stale"}
    assert shop.document("shop")["description"] == "first"


async def test_changes_at_the_same_time_are_made_one_after_another(shop: Shop) -> None:
    await shop.opened({})

    async with asyncio.TaskGroup() as group:
        made = [group.create_task(shop.put(f"w{number}", OPEN)) for number in range(8)]

    assert {task.result() for task in made} == {Done(created=True)}
    assert len(shop.current().webhooks) == 8


async def test_the_directory_must_be_good_before_anything_is_added(shop: Shop) -> None:
    await shop.opened({})
    (shop.root / "broken.toml").write_text("version = 2\n")

    declined = await shop.put("leads", OPEN)

    assert isinstance(declined, Declined)
    assert declined.reason == "conflict"
    assert "mend them first" in declined.detail
    assert [item.file for item in declined.diagnostics] == ["broken.toml"]
    assert list(shop.files()) == ["broken.toml"]


async def test_what_others_removed_is_held_back_whatever_is_changed(shop: Shop) -> None:
    await shop.opened({"a.toml": "version = 1\n" + "".join(ONE.format(number) for number in range(8)), "b.toml": ALONE})
    (shop.root / "a.toml").unlink()

    declined = await shop.put("shop", {**OPEN, "enabled": False})

    assert isinstance(declined, Declined)
    assert declined.reason == "conflict"
    assert "held back, for it would remove 8 of 9 definitions" in declined.detail
    assert shop.files() == {"b.toml": ALONE}


async def test_a_webhook_is_removed_with_its_file_even_if_it_is_the_last(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})

    assert await shop.editor.delete("shop", by="ada", known=None) == Done()

    assert shop.files() == {}
    assert shop.current().webhooks == {}


async def test_a_webhook_that_a_workflow_names_is_not_removed(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE, "a.toml": "version = 1\non = 'webhook:shop'\n[[steps]]\nfail = 'x'\n"})

    declined = await shop.editor.delete("shop", by="ada", known=None)

    assert isinstance(declined, Declined)
    assert declined.reason == "conflict"
    assert [(item.code, item.file) for item in declined.diagnostics] == [("H042", "a.toml")]
    assert "shop.toml" in shop.files()


async def test_what_is_not_there_cannot_be_removed(shop: Shop) -> None:
    await shop.opened({})

    declined = await shop.editor.delete("shop", by="ada", known=None)

    assert isinstance(declined, Declined)
    assert declined.reason == "unknown"


async def test_a_change_that_meets_another_one_on_its_way_is_taken_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.opened({"shop.toml": ALONE})
    reload = shop.reloader.reload

    async def meanwhile(accept: str | None = None) -> Any:
        (shop.root / "broken.toml").write_text("version = 2\n")
        return await reload(accept)

    monkeypatch.setattr(shop.reloader, "reload", meanwhile)

    declined = await shop.put("shop", {**OPEN, "enabled": False})

    assert isinstance(declined, Declined)
    assert declined.reason == "conflict"
    assert shop.files()["shop.toml"] == ALONE


async def test_the_text_of_a_file_is_what_can_be_changed(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})

    assert await shop.editor.text("shop") == ALONE
    changed = await shop.put("shop", ALONE.replace("for now", "for ever"))

    assert changed == Done()
    assert "# for ever" in shop.files()["shop.toml"]


async def test_a_directory_that_cannot_be_written_says_so(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})
    shop.root.chmod(0o555)
    try:
        with unprivileged():
            declined = await shop.put("leads", OPEN)
    finally:
        shop.root.chmod(0o755)

    assert isinstance(declined, Declined)
    assert declined.reason == "read_only"
    assert "let the daemon's user write" in declined.detail


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        ({"auth": {"type": "bearer", "secret": "***"}}, "conflict", "stands for a literal secret"),
        ({"auth": {"type": "any", "of": [{"secret": "***"}]}}, "conflict", "stands for a literal secret"),
        ({**OPEN, "accept": [None]}, "invalid", "TOML has no null"),
        (SHARED, "invalid", "nothing else: it also holds `on`"),
        ("version = 1\n", "invalid", "does not hold `[webhooks.shop]`"),
    ],
)
async def test_what_cannot_be_written_is_refused(
    shop: Shop, content: dict[str, Json] | str, reason: str, said: str
) -> None:
    await shop.opened({"shop.toml": ALONE})

    declined = await shop.put("shop", content)

    assert isinstance(declined, Declined)
    assert declined.reason == reason
    assert said in declined.detail
    assert shop.files() == {"shop.toml": ALONE}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALONE.replace("none", "nonne"), "has just been changed"),
        ("version =", "is not what is in force"),
        (None, "is not what is in force"),
    ],
)
async def test_a_file_that_is_not_what_is_in_force_is_left_to_who_changed_it(
    shop: Shop, text: str | None, said: str
) -> None:
    await shop.opened({"shop.toml": ALONE, "other.toml": "version = 1\n"})
    if text is None:
        (shop.root / "shop.toml").unlink()
    else:
        (shop.root / "shop.toml").write_text(text)

    for declined in (await shop.put("shop", OPEN), await shop.editor.text("shop")):
        assert isinstance(declined, Declined)
        assert declined.reason == "conflict"
        assert said in declined.detail


async def test_a_file_that_is_changed_while_a_change_is_judged_is_not_overwritten(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.opened({"shop.toml": ALONE})
    rehearse = shop.reloader.rehearse

    async def meanwhile(tree: Tree) -> Any:
        verdict = await rehearse(tree)
        (shop.root / "shop.toml").write_text(ALONE + "# mine\n")
        return verdict

    monkeypatch.setattr(shop.reloader, "rehearse", meanwhile)

    declined = await shop.put("shop", {**OPEN, "enabled": False})

    assert isinstance(declined, Declined)
    assert "has just been changed" in declined.detail
    assert shop.files()["shop.toml"].endswith("# mine\n")


async def test_a_literal_secret_is_not_shown(tmp_path: Path) -> None:
    shop = Shop(tmp_path, allow_inline=True)
    await shop.opened({"shop.toml": "version = 1\n[webhooks.shop]\nauth.type = 'bearer'\nauth.secret = 'hunter22'\n"})

    declined = await shop.editor.text("shop")

    assert isinstance(declined, Declined)
    assert "hunter22" not in declined.detail
    assert isinstance(await shop.editor.text("nobody"), Declined)


async def test_a_full_disk_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.opened({"shop.toml": ALONE})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hooksd.daemon.editor.os.fsync", full)
    declined = await shop.put("shop", {**OPEN, "enabled": False})

    assert isinstance(declined, Declined)
    assert declined.reason == "no_room"
    assert shop.files() == {"shop.toml": ALONE}


async def test_the_mode_of_a_file_stays(shop: Shop) -> None:
    await shop.opened({"shop.toml": ALONE})
    (shop.root / "shop.toml").chmod(0o640)

    await shop.put("shop", {**OPEN, "enabled": False})

    assert (shop.root / "shop.toml").stat().st_mode & 0o777 == 0o640


async def test_what_is_half_written_is_never_seen(shop: Shop) -> None:
    await shop.opened({})

    await shop.put("leads", OPEN)

    assert [path.name for path in (shop.root / "webhooks").iterdir()] == ["leads.toml"]
