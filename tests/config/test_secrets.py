from __future__ import annotations

import os
from pathlib import Path

import pytest

from hooksd.config.secrets import DIRECTORY_ID, MAX_SIZE, SecretProblem, SecretStore


def store(directory: Path | None, *, allow_inline: bool = False, **environment: str) -> SecretStore:
    base = directory or Path("/nonexistent")
    return SecretStore(credentials_dir=directory, environment=environment, allow_inline=allow_inline, base_dir=base)


def problem(secrets: SecretStore, reference: str) -> SecretProblem:
    with pytest.raises(SecretProblem) as caught:
        secrets.get(reference)
    return caught.value


def test_a_credential_is_the_file_of_that_name_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "github").write_bytes(b" s3cret \n")
    assert store(tmp_path).get("credential:github").reveal() == b" s3cret "
    assert store(tmp_path).named("github").reveal() == b" s3cret "


@pytest.mark.parametrize(
    ("content", "value"), [(b"a\r\n", b"a"), (b"a\n\n", b"a\n"), (b"a", b"a"), (b"\xff\n", b"\xff")]
)
def test_exactly_one_line_end_is_dropped(tmp_path: Path, content: bytes, value: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert store(tmp_path).get("file:x").reveal() == value


def test_an_environment_variable_is_a_secret(tmp_path: Path) -> None:
    assert store(tmp_path, TOKEN="x").get("env:TOKEN").reveal() == b"x"


def test_a_relative_file_is_relative_to_the_base_and_an_absolute_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x").write_bytes(b"v")
    assert store(tmp_path).get("file:deep/x").reveal() == b"v"
    assert store(None).get(f"file:{tmp_path}/deep/x").reveal() == b"v"


def test_a_secret_that_changed_on_disk_is_read_anew(tmp_path: Path) -> None:
    secrets = store(tmp_path)
    (tmp_path / "x").write_bytes(b"one")
    assert secrets.named("x").reveal() == b"one"
    (tmp_path / "x").write_bytes(b"two")
    assert secrets.named("x").reveal() == b"two"


def test_a_missing_credential_is_an_error_that_suggests_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "github").write_bytes(b"x")
    assert problem(store(tmp_path), "credential:githb").hint == "did you mean `github`?"
    assert "does not exist" in problem(store(tmp_path), "credential:other").message


def test_without_a_credentials_directory_the_error_says_how_to_get_one() -> None:
    hint = problem(store(None), "credential:x").hint or ""

    assert "credentials_dir" in hint
    assert "a daemon reads when it starts" in hint


def test_a_credentials_directory_that_is_gone_is_only_a_missing_credential(tmp_path: Path) -> None:
    assert "does not exist" in problem(store(tmp_path / "gone"), "credential:x").message


def test_a_missing_variable_is_an_error_that_suggests_one_that_is_there() -> None:
    assert problem(store(None, GITHUB_SECRET="x"), "env:GITHUB_SECRT").hint == "did you mean `GITHUB_SECRET`?"


@pytest.mark.parametrize("content", [b"", b"\n", b"  \t\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert "is empty" in problem(store(tmp_path), "credential:x").message
    assert "is empty" in problem(store(tmp_path, X=content.decode()), "env:X").message


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/passwd", ".", "", "a\nb", "-x"])
def test_a_credential_name_never_leaves_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(SecretProblem):
        store(tmp_path).named(name)


def test_a_variable_needs_a_name() -> None:
    assert "no name" in problem(store(None), "env:A-B").message


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "regular file" in problem(store(tmp_path), "file:pipe").message
    assert problem(store(tmp_path), "file:.").message
    assert problem(store(tmp_path), "file:a\0b").message


def test_a_file_that_is_too_long_for_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a" * (MAX_SIZE + 1))
    assert "longer than" in problem(store(tmp_path), "file:x").message


def test_a_literal_is_refused_unless_the_settings_allow_it(tmp_path: Path) -> None:
    refused = problem(store(tmp_path), "hunter2")
    assert "hunter2" not in refused.message + (refused.hint or "")
    assert store(tmp_path, allow_inline=True).get("hunter2").reveal() == b"hunter2"


def test_no_message_shows_a_value(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hunter2" * MAX_SIZE)
    for reference in ("file:x", "env:MISSING", "credential:y"):
        found = problem(store(tmp_path, HUNTER2="hunter2"), reference)
        assert "hunter2" not in found.message + (found.hint or "")


def test_a_credential_that_systemd_loaded_from_a_directory_has_a_prefix(tmp_path: Path) -> None:
    (tmp_path / f"{DIRECTORY_ID}_github").write_bytes(b"x")
    assert store(tmp_path).named("github").reveal() == b"x"
