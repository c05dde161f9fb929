from __future__ import annotations

from pathlib import Path

import pytest

from hooksd.auth.problem import AuthProblem
from hooksd.config.secrets import SecretProblem
from hooksd.config.verifiers import Verifiers
from hooksd.model.auth import BearerAuth
from hooksd.model.secret import Secret
from tests.config.sets import store


@pytest.fixture
def auth(tmp_path: Path) -> BearerAuth:
    (tmp_path / "token").write_bytes(b"a long enough secret")
    return BearerAuth.model_validate({"type": "bearer", "secret": "credential:token"})


def test_a_verifier_is_kept_while_its_secret_stays_the_same(tmp_path: Path, auth: BearerAuth) -> None:
    verifiers = Verifiers(store(tmp_path))
    verifiers.begin()
    first = verifiers.of(auth)
    verifiers.begin()

    assert not verifiers.has(auth, first), "nobody has asked for it in this set"
    assert verifiers.of(auth) is first
    assert verifiers.has(auth, first)


def test_a_rotated_secret_makes_a_new_verifier_with_the_next_set(tmp_path: Path, auth: BearerAuth) -> None:
    verifiers = Verifiers(store(tmp_path))
    first = verifiers.of(auth)
    (tmp_path / "token").write_bytes(b"another long secret")

    assert verifiers.of(auth) is first
    verifiers.begin()
    assert verifiers.of(auth) is not first
    assert verifiers.secret("credential:token") == Secret(b"another long secret")


def test_a_secret_that_is_missing_or_too_short_is_said_each_time(tmp_path: Path, auth: BearerAuth) -> None:
    verifiers = Verifiers(store(tmp_path))
    (tmp_path / "token").write_bytes(b"x")
    for _ in range(2):
        with pytest.raises(AuthProblem):
            verifiers.of(auth)
    (tmp_path / "token").unlink()
    verifiers.begin()
    for _ in range(2):
        with pytest.raises(SecretProblem):
            verifiers.of(auth)


def test_what_two_sets_did_not_need_is_forgotten(tmp_path: Path, auth: BearerAuth) -> None:
    verifiers = Verifiers(store(tmp_path))
    first = verifiers.of(auth)
    verifiers.begin()
    verifiers.begin()

    assert verifiers.of(auth) is not first
