from __future__ import annotations

import pytest

from hooksd.config import tree
from hooksd.config.gaps import left_out, unreadable


def test_what_cannot_be_read_is_an_error_at_its_file_with_what_to_do() -> None:
    [found] = unreadable(["sub/b: c.toml: permission denied"])

    assert (found.code, found.severity, found.file) == ("H001", "error", "sub/b: c.toml")
    assert found.message == "permission denied"
    assert found.hint == "nothing is applied without it: make it readable, or remove it"


def test_what_is_left_out_is_a_warning() -> None:
    [found] = left_out(["pipe.toml: left out, it is not a regular file"])

    assert (found.code, found.severity, found.file, found.hint) == ("H001", "warning", "pipe.toml", None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a: b.yaml", "write it as TOML or JSON, or keep it elsewhere"),
        ("A.TOML", "rename it: `.toml` and `.json` are written in lower case"),
    ],
)
def test_what_looks_like_definitions_and_is_not_read_is_a_warning_with_what_to_do(name: str, hint: str) -> None:
    [found] = left_out([f"{name}: {tree.NOT_READ}"])

    assert (found.code, found.severity, found.file, found.hint) == ("H008", "warning", name, hint)


def test_what_is_too_long_or_leads_nowhere_is_not_helped_by_permissions() -> None:
    hints = [found.hint or "" for found in unreadable([f"a.toml: {tree.TOO_LONG}", f"b.toml: {tree.NOWHERE}"])]

    assert "divide it into several files" in hints[0]
    assert "let it lead to a file" in hints[1]
    assert not any("readable" in hint for hint in hints)
