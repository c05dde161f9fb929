"""What callers and operators meet, without a socket."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from hooksd.config.settings import Settings
from hooksd.daemon.faces import admin_token, limits_of, named_keys, trigger_face
from hooksd.daemon.ground import ground_of
from hooksd.errors import SettingsRejected
from hooksd.web.guard_limits import Limits
from hooksd.web.refusals import Refusals
from tests.daemon.test_control import SNAPSHOT
from tests.web.doubles import FakeIntake


async def test_it_is_ready_when_it_is_open_and_the_log_takes_records(tmp_path: Path) -> None:
    ground = ground_of(Settings(log_dir=tmp_path / "log"))
    ground.current.publish(SNAPSHOT)
    refusals = Refusals(journal=ground.journal, clock=ground.clock, observer=ground.observer)
    doors = [False]
    app = trigger_face(ground, intake=FakeIntake(), refusals=refusals, is_open=lambda: doors[-1])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hooksd") as client:
        shut = await client.get("/readyz")
        ground.journal.open()
        doors.append(True)
        opened = await client.get("/readyz")
        await ground.journal.close()
        closed = await client.get("/readyz")

        assert (await client.get("/livez")).status_code == 200
    assert shut.status_code == 503
    assert shut.json()["reasons"] == ["the daemon starts or stops", "the log takes no records: it is broken"]
    assert opened.status_code == 200
    assert closed.json()["reasons"] == ["the log takes no records: it is broken"]


async def test_the_admin_token_guards_tcp_and_is_not_needed_on_a_unix_socket(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    reference = f"file:{tmp_path}/token"

    over_tcp = admin_token(ground_of(Settings(admin="127.0.0.1:9001", admin_token=reference)))
    over_unix = admin_token(ground_of(Settings(admin_token=reference)))

    assert over_tcp is not None
    assert over_tcp.text() == "open sesame"
    assert over_unix is None


async def test_a_token_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    settings = Settings(admin="127.0.0.1:9001", admin_token=f"file:{tmp_path}/nowhere")

    with pytest.raises(SettingsRejected, match="admin_token: "):
        admin_token(ground_of(settings))


def test_the_limits_of_callers_are_settings_with_the_same_defaults() -> None:
    assert limits_of(Settings()) == Limits()
    assert limits_of(Settings(max_connections=5, header_timeout="2s")) == Limits(connections=5, header_timeout=2.0)


async def test_keys_with_names_are_read_for_tcp_alone(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of the plugin\n")
    keys = {"plugin": f"file:{tmp_path}/key"}
    guarded = Settings(admin="127.0.0.1:9001", admin_token=keys["plugin"])

    assert named_keys(ground_of(guarded), "trigger_keys", keys)["plugin"].text() == "of the plugin"
    assert named_keys(ground_of(Settings()), "trigger_keys", keys) == {}
    with pytest.raises(SettingsRejected, match=r"trigger_keys\.plugin: "):
        named_keys(ground_of(guarded), "trigger_keys", {"plugin": f"file:{tmp_path}/nowhere"})
