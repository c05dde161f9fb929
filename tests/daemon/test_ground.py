"""What every part stands on."""

from __future__ import annotations

from pathlib import Path

from hooksd.config.settings import Settings
from hooksd.daemon.ground import ground_of
from hooksd.errors import JournalBroken


async def test_making_it_touches_nothing(tmp_path: Path) -> None:
    ground_of(Settings(log_dir=tmp_path / "log", state_dir=tmp_path / "state"))

    assert list(tmp_path.iterdir()) == []


async def test_identifiers_are_new_each_time(tmp_path: Path) -> None:
    one, other = ground_of(Settings(log_dir=tmp_path)), ground_of(Settings(log_dir=tmp_path))

    assert one.ids.event() != other.ids.event()


async def test_a_log_that_breaks_ends_the_daemon(tmp_path: Path) -> None:
    ground = ground_of(Settings(log_dir=tmp_path / "log"))
    ground.journal.open()
    list(ground.journal.read())
    ground.journal._open_writer.refused_body(JournalBroken("disk gone"))
    await ground.stopping.asked()

    assert isinstance(ground.stopping.error, JournalBroken)
    await ground.journal.close()
