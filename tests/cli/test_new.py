"""First files: they work as they are, nothing is overwritten, no secret is shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hooksd.auth.presets import PRESETS, preset_names
from tests.auth.signing import public_text
from tests.cli.conftest import Command


@pytest.fixture
def credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = home / "credentials"
    monkeypatch.setenv("HOOKSD_CREDENTIALS_DIR", str(directory))
    return directory


@pytest.mark.parametrize("preset", preset_names())
def test_a_webhook_of_every_preset_is_valid_as_soon_as_its_secret_is_there(
    hooksd: Command, home: Path, credentials: Path, preset: str
) -> None:
    made = hooksd("new", "webhook", "door", "--preset", preset, "--secret")
    if preset == "standard":
        (credentials / "door").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    if PRESETS[preset]["type"] == "signature":
        assert not (credentials / "door").exists()
        credentials.mkdir(exist_ok=True)
        (credentials / "door").write_text(public_text(PRESETS[preset]["algorithm"], PRESETS[preset]["key_encoding"]))

    assert made.status == 0, made.err
    assert made.out == "wrote hooks.d/door.toml\n"
    assert "URL for the provider: http://127.0.0.1:9000/hooks/door" in made.err
    checked = hooksd("validate")
    assert checked.status == 0, checked.out
    assert "H047" not in checked.out, "its workflow listens to an event that never comes"
    assert f'auth.preset = "{preset}"' in (home / "hooks.d" / "door.toml").read_text()


def test_a_kind_of_event_cannot_be_chosen_where_requests_do_not_say_it(hooksd: Command, home: Path) -> None:
    result = hooksd("new", "webhook", "bot", "--preset", "telegram", "--event", "message")
    nobody = hooksd("new", "webhook", "bot", "--event", "message")

    assert (result.status, nobody.status, (home / "hooks.d").exists()) == (64, 64, False)
    assert "name the provider with --preset" in nobody.err
    assert "--event: requests of Telegram bots do not say what happened: leave it out" in result.err


def test_a_made_secret_is_strong_private_and_not_shown(hooksd: Command, credentials: Path) -> None:
    made = hooksd("new", "webhook", "door", "--secret")
    secret = (credentials / "door").read_text().strip()

    assert len(bytes.fromhex(secret)) == 32
    assert stat.S_IMODE((credentials / "door").stat().st_mode) == 0o600
    assert secret not in made.out + made.err
    assert "made a random secret" in made.err
    assert hooksd("validate").status == 0


def test_a_secret_that_is_there_stays(hooksd: Command, credentials: Path) -> None:
    credentials.mkdir()
    (credentials / "door").write_text("a secret that a provider knows")

    made = hooksd("new", "webhook", "door", "--secret")

    assert (credentials / "door").read_text() == "a secret that a provider knows"
    assert "as it was" in made.err


def test_without_a_secret_it_says_how_to_make_one(hooksd: Command, credentials: Path) -> None:
    made = hooksd("new", "webhook", "door")

    assert f"openssl rand -hex 32 > {credentials}/door" in made.err
    assert hooksd("validate").status == 1


def test_without_a_place_for_secrets_it_says_what_to_set(hooksd: Command) -> None:
    made = hooksd("new", "webhook", "door", "--preset", "github")

    assert made.status == 0
    assert "set HOOKSD_CREDENTIALS_DIR" in made.err
    assert "start the daemon with it" in made.err


def test_a_provider_may_make_the_secret_itself(
    hooksd: Command, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = hooksd("new", "webhook", "shop", "--preset", "stripe").err
    with monkeypatch.context() as unset:
        unset.delenv("HOOKSD_CREDENTIALS_DIR")
        nowhere = hooksd("new", "webhook", "pay", "--preset", "stripe").err
    made = hooksd("new", "webhook", "bank", "--preset", "stripe", "--secret").err
    own = hooksd("new", "webhook", "door", "--secret").err

    for told in (nowhere, there):
        assert "put what the provider shows" in told
        assert "or make one" in told
    assert f"made a random secret in {credentials}/bank; give it to the provider, or write there what it made" in made
    assert f"made a random secret in {credentials}/door; give it to those who call" in own


def test_one_kind_of_event_can_be_asked_for(hooksd: Command, home: Path, credentials: Path) -> None:
    hooksd("new", "webhook", "gh", "--preset", "github", "--event", "push", "--secret")

    assert 'on      = "gh.push*"' in (home / "hooks.d" / "gh.toml").read_text()
    assert hooksd("validate").status == 0


def test_the_public_url_is_shown_when_it_is_known(
    hooksd: Command, monkeypatch: pytest.MonkeyPatch, credentials: Path
) -> None:
    monkeypatch.setenv("HOOKSD_PUBLIC_URL", "https://hooks.example.com/")

    assert "URL for the provider: https://hooks.example.com/hooks/door\n" in hooksd("new", "webhook", "door").err


def test_nothing_is_overwritten(hooksd: Command, home: Path) -> None:
    hooksd("new", "workflow", "door")
    before = (home / "hooks.d" / "door.toml").read_bytes()

    again = hooksd("new", "webhook", "door")

    assert again.status == 1
    assert "exists already" in again.err
    assert (home / "hooks.d" / "door.toml").read_bytes() == before


def test_a_new_workflow_and_a_new_endpoint_are_valid(hooksd: Command) -> None:
    assert hooksd("new", "workflow", "cleanup").status == 0
    assert hooksd("new", "endpoint", "chat", "https://chat.example.com/hook?a=b").status == 0

    assert hooksd("validate", "--strict").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["webhook", "../door"],
        ["webhook", "a.b"],
        ["webhook", 'x"]'],
        ["webhook", "door", "--preset", "gitub"],
        ["webhook", "door", "--preset", "github", "--event", 'push"\nevil = 1'],
        ["endpoint", "chat", "ftp://chat.example.com"],
        ["endpoint", "chat", 'https://x/"\nevil = 1'],
        ["endpoint", "chat", "https://x/{{ secrets.a }}"],
    ],
    ids=["path", "dot", "quote", "preset", "event", "scheme", "url", "template"],
)
def test_what_cannot_be_written_is_refused(hooksd: Command, home: Path, arguments: list[str]) -> None:
    result = hooksd("new", *arguments)

    assert result.status == 64
    assert not (home / "hooks.d").exists()


def test_a_directory_that_cannot_be_made_is_named(hooksd: Command, home: Path, credentials: Path) -> None:
    (home / "hooks.d").write_text("a file")
    credentials.write_text("a file too")

    definitions = hooksd("new", "webhook", "door")
    (home / "hooks.d").unlink()
    secret = hooksd("new", "webhook", "door", "--secret")

    assert definitions.status == secret.status == 1
    assert "cannot write hooks.d/door.toml" in definitions.err
    assert f"cannot write {credentials}/door" in secret.err
