from __future__ import annotations

from hooksd.config.gaps import left_out, unreadable


def test_what_cannot_be_read_is_an_error_at_its_file_with_what_to_do() -> None:
    [found] = unreadable(["sub/b: c.toml: permission denied"])

    assert (found.code, found.severity, found.file) == ("H001", "error", "sub/b: c.toml")
    assert found.message == "permission denied"
    assert found.hint == "nothing is applied without it: make it readable, or remove it"


def test_what_is_left_out_is_a_warning() -> None:
    [found] = left_out(["pipe.toml: left out, it is not a regular file"])

    assert (found.severity, found.file, found.hint) == ("warning", "pipe.toml", None)
