from __future__ import annotations

import sys

import pytest

from hooksd.auth.extra import crypto
from hooksd.auth.problem import AuthProblem
from hooksd.model.trust import Trust
from tests.auth.requests import verifier
from tests.auth.signing import public_text


def test_what_stands_on_the_extra_is_imported_when_it_is_asked_for() -> None:
    assert crypto("asymmetric").load_check


@pytest.mark.parametrize(("module", "missing"), [("asymmetric", "cryptography"), ("jose", "jwt")])
def test_without_the_extra_a_definition_is_refused_with_what_to_install(
    module: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"hooksd.auth.{module}", raising=False)

    with pytest.raises(AuthProblem, match="extra that is not installed") as caught:
        crypto(module)

    assert caught.value.code == "H027"
    assert caught.value.hint == 'install it: pip install "hooksd[crypto]"'


def test_a_public_key_needs_the_extra_and_a_shared_secret_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    key = public_text("ed25519", "hex")
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "hooksd.auth.asymmetric", raising=False)

    with pytest.raises(AuthProblem, match="extra that is not installed"):
        verifier(preset="discord", public_key=key)
    assert verifier(type="hmac", header="X-Sig", secret="credential:one").trust is Trust.SIGNED


def test_a_module_of_ours_that_is_not_there_is_a_mistake_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError):
        crypto("nothing")
