from __future__ import annotations

import pytest

from hooksd.auth.problem import AuthProblem
from hooksd.config.build_problem import BuildProblem, blamed
from hooksd.config.secrets import SecretProblem
from hooksd.expr.problem import RenderProblem
from hooksd.model.record import Origin

HERE = Origin(file="sub/t.toml", line=7)


@pytest.mark.parametrize(
    ("cause", "code", "message", "hint"),
    [
        (SecretProblem("`env:A` is not set", "set it"), "H070", "`env:A` is not set", "set it"),
        (AuthProblem("secret", "too\nshort", "longer"), "H072", "too short", "longer"),
        (RenderProblem("no value"), "H050", "no value", None),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "hidden"),
            "H072",
            "a secret that it reads is not UTF-8 text",
            None,
        ),
    ],
)
def test_what_happens_to_a_definition_is_said_at_its_place(
    cause: Exception, code: str, message: str, hint: str | None
) -> None:
    with pytest.raises(BuildProblem) as caught, blamed(HERE):
        raise cause

    found = caught.value.diagnostic
    assert (found.file, found.line, found.severity) == ("sub/t.toml", 7, "error")
    assert (found.code, found.message, found.hint) == (code, message, hint)


def test_what_nobody_foresaw_shows_its_kind_alone() -> None:
    with pytest.raises(BuildProblem) as caught, blamed(HERE):
        raise KeyError("a secret")

    assert "KeyError" in caught.value.diagnostic.message
    assert "a secret" not in repr(caught.value.diagnostic)


def test_where_nothing_happens_nothing_is_said() -> None:
    with blamed(HERE):
        pass
