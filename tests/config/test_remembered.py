from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.config.remembered import RememberedSecrets
from hooksd.config.secrets import SecretProblem
from hooksd.model.secret import Secret
from tests.config.sets import store


@pytest.fixture
def secrets(tmp_path: Path) -> RememberedSecrets:
    (tmp_path / "one").write_bytes(b"1")
    return RememberedSecrets(store(tmp_path))


def test_a_secret_is_read_once_until_it_is_forgotten(secrets: RememberedSecrets, tmp_path: Path) -> None:
    assert secrets.get("credential:one") == secrets.named("one") == Secret(b"1")
    (tmp_path / "one").write_bytes(b"2")
    assert secrets.named("one") == Secret(b"1")
    secrets.forget()
    assert secrets.named("one") == Secret(b"2")


def test_a_secret_that_is_not_there_is_said_each_time(secrets: RememberedSecrets) -> None:
    for _ in range(2):
        with pytest.raises(SecretProblem, match="does not exist"):
            secrets.named("two")
    assert secrets.is_unchanged()


def test_a_changed_secret_is_noticed_and_read_anew(secrets: RememberedSecrets, tmp_path: Path) -> None:
    secrets.named("one")
    assert secrets.is_unchanged()
    (tmp_path / "one").write_bytes(b"2")
    assert not secrets.is_unchanged()
    assert secrets.named("one") == Secret(b"2")


def test_a_secret_that_comes_or_goes_is_a_change(secrets: RememberedSecrets, tmp_path: Path) -> None:
    secrets.named("one")
    (tmp_path / "one").unlink()
    assert not secrets.is_unchanged()
    with pytest.raises(SecretProblem):
        secrets.named("one")
    (tmp_path / "one").write_bytes(b"1")
    assert not secrets.is_unchanged()


def test_another_problem_with_the_same_secret_is_a_change(secrets: RememberedSecrets, tmp_path: Path) -> None:
    with pytest.raises(SecretProblem, match="does not exist"):
        secrets.named("two")
    (tmp_path / "two").write_bytes(b"")
    assert not secrets.is_unchanged()
    with pytest.raises(SecretProblem, match="empty"):
        secrets.named("two")
