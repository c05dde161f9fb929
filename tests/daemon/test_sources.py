"""Settings decide where definitions and secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.secrets import SecretProblem
from hooksd.config.settings import Settings
from hooksd.daemon.sources import loader, secret_store


def test_a_relative_file_of_a_secret_lies_beside_the_definitions(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("beside the definitions\n")

    assert secret_store(Settings(hooks_dir=tmp_path)).get("file:token").text() == "beside the definitions"


def test_credentials_are_looked_up_where_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "github").write_text("a secret\n")

    assert secret_store(Settings(credentials_dir=tmp_path)).named("github").text() == "a secret"
    with pytest.raises(SecretProblem):
        secret_store(Settings()).named("github")


def test_a_directory_of_credentials_that_systemd_loaded_is_found_by_plain_names(tmp_path: Path) -> None:
    (tmp_path / "hooksd_github").write_text("from LoadCredential=hooksd:/etc/hooksd/credentials")

    assert secret_store(Settings(credentials_dir=tmp_path)).named("github").text().startswith("from LoadCredential")


@pytest.mark.parametrize("allowed", [False, True], ids=["refused", "allowed"])
def test_secrets_in_definitions_are_refused_unless_the_settings_allow_them(*, allowed: bool) -> None:
    settings = Settings(allow_inline_secrets=allowed)
    text = b'version = 1\n[webhooks.a]\nauth.type = "bearer"\nauth.secret = "a literal that is long enough"\n'

    assert loader(settings, secret_store(settings)).load({"a.toml": text}).ok is allowed
