from __future__ import annotations

import pytest

from hooksd.model.secret import Secret, is_reference


def test_a_secret_shows_nothing_of_itself() -> None:
    secret = Secret(b"hush")

    assert f"{secret}{secret!r}{[secret]}" == "******[***]"
    assert not hasattr(secret, "__dict__")


def test_a_secret_is_revealed_only_when_asked() -> None:
    assert Secret(b"hush").reveal() == b"hush"
    assert Secret("hüsh".encode()).text() == "hüsh"
    with pytest.raises(UnicodeDecodeError):
        Secret(b"\xff").text()


def test_equal_secrets_are_equal() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"
    assert len({Secret(b"a"), Secret(b"a")}) == 1


@pytest.mark.parametrize("text", ["credential:github", "env:TOKEN", "file:/run/secrets/x"])
def test_a_reference_says_where_the_secret_is(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["hush", "credential:", "vault:x", "", "my credential:x"])
def test_anything_else_is_a_literal(text: str) -> None:
    assert not is_reference(text)
