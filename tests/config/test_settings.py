from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hooksd.config.settings import (
    OTHER_VARIABLES,
    Settings,
    TcpAddress,
    UnixAddress,
    load_settings,
    parse_address,
    process_environment,
)
from hooksd.errors import SettingsRejected


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory with no variable that means anything."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("HOOKSD_") or name.endswith("_DIRECTORY"):
            monkeypatch.delenv(name)


def refusal(file: Path | None = None, **flags: str) -> str:
    with pytest.raises(SettingsRejected) as caught:
        load_settings(file, flags)
    return str(caught.value)


def test_without_any_source_the_defaults_run_from_a_checkout() -> None:
    settings = load_settings(None, {})
    assert settings == Settings()
    assert settings.hooks_dir == Path("hooks.d")
    assert settings.listen_address == TcpAddress(host="127.0.0.1", port=9000)
    assert settings.admin_address == UnixAddress(path=Path(".hooksd/state/admin.sock"))
    assert settings.segment_size == 64 * 2**20


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hooksd.toml").write_text('listen = ":1"\nadmin = "unix:/one"\ndurability = "none"\n')
    monkeypatch.setenv("HOOKSD_LISTEN", ":2")
    monkeypatch.setenv("HOOKSD_ADMIN", "unix:/two")
    settings = load_settings(None, {"listen": ":3"})
    assert settings.listen == ":3"
    assert settings.admin == "unix:/two"
    assert settings.durability == "none"


def test_paths_in_the_file_are_relative_to_the_file_and_others_to_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "settings.toml"
    file.write_text('hooks_dir = "hooks.d"\nlog_dir = "/var/log/hooksd"\n')
    monkeypatch.setenv("HOOKSD_STATE_DIR", "state")
    settings = load_settings(file, {})
    assert settings.hooks_dir == tmp_path / "etc" / "hooks.d"
    assert settings.log_dir == Path("/var/log/hooksd")
    assert settings.state_dir == Path("state")


def test_the_directories_of_systemd_are_the_defaults_where_it_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_DIRECTORY", "/var/log/hooksd:/var/log/other")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/hooksd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/hooksd.service")
    settings = load_settings(None, {"state_dir": "elsewhere"})
    assert settings.log_dir == Path("/var/log/hooksd")
    assert settings.state_dir == Path("elsewhere")
    assert settings.credentials_dir == Path("/run/credentials/hooksd.service")


def test_an_unknown_variable_is_an_error_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKSD_LISTN", ":1")
    assert refusal() == "the environment: unknown setting `HOOKSD_LISTN`: did you mean `HOOKSD_LISTEN`?"


def test_what_programs_of_steps_find_in_their_environment_is_no_unknown_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in OTHER_VARIABLES:
        monkeypatch.setenv(name, "x")
    assert load_settings(None, {}) == Settings()


def test_every_problem_of_every_source_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hooksd.toml").write_text('listn = ":1"\nallow_inline_secrets = "perhaps"\nsegment_size = 5\n')
    monkeypatch.setenv("HOOKSD_DURABILITY", "sometimes")
    told = refusal(listen="nowhere", colour="red").splitlines()
    assert told == [
        "hooksd.toml: unknown setting `listn`: did you mean `listen`?",
        "the flags: unknown setting `colour`",
        '--listen: expected "HOST:PORT", "[IPv6]:PORT" or "unix:PATH"',
        'HOOKSD_DURABILITY: expected "always" or "none", found a text',
        "`allow_inline_secrets` in the file of settings: expected true or false, found a text",
        '`segment_size` in the file of settings: expected a size with a unit, like "512B", "64KiB" or "10MiB"',
    ]


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.toml").endswith("missing.toml: there is no such file")


@pytest.mark.parametrize("content", [b"listen = ", b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hooksd.toml").write_bytes(content)
    assert refusal().startswith("hooksd.toml:")


def test_a_directory_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_an_admin_address_over_tcp_needs_a_token() -> None:
    assert "admin_token" in refusal(admin="127.0.0.1:9001")
    settings = load_settings(None, {"admin": "127.0.0.1:9001", "admin_token": "credential:admin"})
    assert settings.admin_address == TcpAddress(host="127.0.0.1", port=9001)


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://x", "https://", "https://x/?a=b", "https://x/#a"])
def test_a_public_url_that_nobody_could_call_is_refused(url: str) -> None:
    assert "expected a URL like" in refusal(public_url=url)


def test_a_slash_at_the_end_of_the_public_url_is_dropped() -> None:
    assert load_settings(None, {"public_url": "https://x.example/base/"}).public_url == "https://x.example/base"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", TcpAddress(host="127.0.0.1", port=9000)),
        ("[::1]:9000", TcpAddress(host="::1", port=9000)),
        (":0", TcpAddress(host="0.0.0.0", port=0)),
        ("localhost:65535", TcpAddress(host="localhost", port=65535)),
        ("unix:/run/x.sock", UnixAddress(path=Path("/run/x.sock"))),
    ],
)
def test_addresses_are_read(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "9000", "::1:9000", "host:", "host:65536", "host:-1", "host:9٣", "unix:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_address(text)


@pytest.mark.parametrize("port", ["65536", "99999", "9" * 5000])
def test_a_port_that_is_too_high_is_said_to_be(port: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a port of at most 65535$"):
        parse_address(f"host:{port}")


def test_building_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKSD_LISTEN", ":2")
    assert Settings().listen == "127.0.0.1:9000"


def test_the_environment_is_handed_out_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = process_environment()
    monkeypatch.setenv("HOOKSD_LATER", "x")
    assert "HOOKSD_LATER" not in environment


def test_every_setting_is_documented_with_its_variable() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z_]+)` \| `(HOOKSD_[A-Z_]+)` \|", page, re.MULTILINE)
    assert documented == [(name, f"HOOKSD_{name.upper()}") for name in documented_order()]


def documented_order() -> list[str]:
    """Return the settings in the order in which the class and the page have them."""
    return list(Settings.model_fields)


def test_values_that_mean_the_default_may_be_written() -> None:
    assert Settings(admin="", public_url=None) == Settings()


def test_how_much_of_the_log_is_kept_is_a_duration_and_a_size_of_some_length() -> None:
    settings = Settings(retention_age="90d", retention_size="10GiB")
    assert (settings.retention_age, settings.retention_size) == (90 * 86400.0, 10 * 2**30)
    assert (Settings().retention_age, Settings().retention_size) == (None, None)
    for values in ({"retention_age": "59s"}, {"retention_size": "1KiB"}):
        with pytest.raises(ValidationError):
            Settings(**values)


def test_a_tcp_admin_address_may_be_guarded_by_keys_with_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hooksd.toml").write_text(
        'admin = "127.0.0.1:9001"\nadmin_keys.ada = "credential:ada"\nadmin_keys.ci = "credential:ci"\n'
    )
    assert load_settings(None, {}).admin_keys == {"ada": "credential:ada", "ci": "credential:ci"}
    monkeypatch.setenv("HOOKSD_ADMIN_KEYS", "bob=env:BOB, ci=credential:x=y")
    assert load_settings(None, {}).admin_keys == {"bob": "env:BOB", "ci": "credential:x=y"}
    monkeypatch.setenv("HOOKSD_ADMIN_KEYS", "../bob=env:BOB")
    assert "HOOKSD_ADMIN_KEYS" in refusal()


@pytest.mark.parametrize(("setting", "other"), [("trigger_keys", "publish_keys"), ("publish_keys", "trigger_keys")])
def test_keys_that_do_one_thing_have_names_of_their_own(setting: str, other: str) -> None:
    keys = {"plugin": "credential:plugin"}
    guarded = {"admin": "127.0.0.1:9001", "admin_token": "credential:admin"}
    assert getattr(Settings(**{**guarded, setting: keys}), setting) == keys
    for taken in ({"admin_keys": keys}, {setting: {"admin": "credential:plugin"}}, {other: keys}):
        with pytest.raises(ValidationError, match="choose another"):
            Settings(**{**guarded, setting: keys, **taken})


def test_a_mail_server_is_described_whole_or_not_at_all() -> None:
    server = {"smtp": "[::1]:25", "smtp_from": "Hooks <hooks@example.com>", "smtp_security": "none"}
    assert Settings().smtp_address is None
    assert load_settings(None, server).smtp_address == TcpAddress(host="::1", port=25)
    for wrong, said in (
        ({"smtp": "mail.example.com:25"}, "`smtp` needs `smtp_from`"),
        ({**server, "smtp": "mail.example.com"}, '"HOST:PORT"'),
        ({**server, "smtp": "unix:/run/mail"}, '"HOST:PORT"'),
        ({**server, "smtp_username": "hooks"}, "belong together"),
        ({**server, "smtp_username": "h", "smtp_password": "credential:smtp"}, "never sent unencrypted"),
        ({**server, "smtp_from": "hooks"}, "--smtp-from"),
    ):
        assert said in refusal(None, **wrong)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_connections = -1", "`max_connections` in the file of settings: expected at least 1, found -1"),
        ('smtp = "mail.example.com:25"', "`smtp` in the file of settings: `smtp` needs `smtp_from`"),
        ('admin = "127.0.0.1:1"', "`admin` in the file of settings: `admin` is reachable over TCP"),
    ],
)
def test_what_is_wrong_is_told_of_the_setting_that_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "hooksd.toml"
    file.write_text(text)

    with pytest.raises(SettingsRejected, match=re.escape(said)):
        load_settings(file, {})
