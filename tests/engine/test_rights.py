from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.snapshot import Snapshot
from hooksd.engine.rights import KEPT, Office, Rights, rights_of
from hooksd.model import permission
from hooksd.model.role import Role
from hooksd.model.trust import Trust
from hooksd.testing import snapshot_of

STEPS = [{"http": "GET https://a.example/{{ secrets.token }}"}]


def snapshot(roles: dict[str, object], credentials: Path | None = None) -> Snapshot:
    workflow = {"on": "x", "run_as": "deployer", "steps": STEPS}
    return snapshot_of({"roles": roles, "workflows": {"w": workflow}}, credentials=credentials)


def test_a_role_gives_its_permissions_and_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-value\n")
    now = snapshot({"deployer": {"allow": ["run:make"], "secrets": ["token", "unmentioned"]}}, tmp_path)

    rights = rights_of(now, now.workflows["w"], Trust.SIGNED)

    assert rights.denial("run", "make") is None
    assert rights.denial("run", "rm") is not None
    assert rights.secrets == {"token": "s3cret-value"}
    assert rights.secret_denial({"body.a", "secrets.token"}) is None
    assert "secrets.other" in str(rights.secret_denial({"secrets.other.x"}))


def test_a_secret_that_the_role_does_not_name_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    now = snapshot({"deployer": {"allow": ["run:make"]}}, tmp_path)

    rights = rights_of(now, now.workflows["w"], Trust.SIGNED)

    assert rights.secrets == {}
    assert "may not read `secrets.token`" in str(rights.secret_denial({"secrets.token"}))


def test_a_role_that_is_gone_allows_nothing(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    before = snapshot({"deployer": {"allow": ["run:*"]}}, tmp_path)
    after = snapshot({}, tmp_path)

    rights = rights_of(after, before.workflows["w"], Trust.LOCAL)

    assert rights.is_gone
    assert "does not exist any more" in str(rights.denial("emit", "a"))


def test_without_a_role_trust_decides() -> None:
    assert Rights(trust=Trust.TOKEN).denial("send", "shop") is None
    assert Rights(trust=Trust.ANONYMOUS).denial("send", "shop") is not None
    assert "needs a role" in str(Rights(trust=Trust.LOCAL).secret_denial({"secrets.a"}))


def test_secrets_are_replaced_in_what_people_are_told() -> None:
    rights = Rights(trust=Trust.SIGNED, secrets={"token": "a/b c", "longer": "a/b cd", "short": "e"})

    assert rights.hide("no route to https://a.example/a%2Fb%20c?x") == "no route to https://a.example/***?x"
    assert rights.hide({"stderr": ["a/b cd", 1, None]}) == {"stderr": ["***", 1, None]}
    assert rights.hide(None) is None
    assert rights.hide("e") == "e"


def test_bytes_that_are_no_text_do_not_stop_the_workflow(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\xfd key")
    now = snapshot({"deployer": {"secrets": ["token"]}}, tmp_path)

    assert rights_of(now, now.workflows["w"], Trust.SIGNED).secrets["token"].endswith(" key")


ACTS = st.tuples(
    st.sampled_from(["run", "http", "send", "emit", "shell"]),
    st.sampled_from(["", "/bin/a", "/bin/../a", "/bin/" + "a" * KEPT, "https://a.example/x", "shop", "order.paid"]),
)


@given(
    st.lists(st.sampled_from(["run:/bin/*", "http:https://a.example/*", "send:shop", "emit:order.*", "shell"])),
    st.lists(ACTS, max_size=12),
)
def test_what_was_permitted_once_is_judged_as_if_it_was_never_asked(
    allow: list[str], acts: list[tuple[str, str]]
) -> None:
    role = Role(allow=tuple(allow))
    rights = Rights(trust=Trust.SIGNED, role_name="deployer", role=role)

    for verb, target in acts * 2:
        fresh = permission.denial(verb, target, role=role, role_name="deployer", trust=Trust.SIGNED)
        assert rights.denial(verb, target) == fresh


def test_no_more_than_so_many_permitted_acts_are_known_again() -> None:
    rights = Rights(trust=Trust.SIGNED, role_name="deployer", role=Role(allow=("run:*",)))

    for number in range(KEPT + 10):
        assert rights.denial("run", f"/bin/{number}") is None
    assert rights.denial("run", "/" + "a" * KEPT) is None

    assert len(rights._permitted) == KEPT


def test_rights_are_worked_out_again_when_other_definitions_are_in_force(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-value")
    before = snapshot({"deployer": {"allow": ["run:make"]}}, tmp_path)
    after = snapshot({"deployer": {"allow": ["run:rm"]}}, tmp_path)
    current = [before]
    office = Office(lambda: current[0])

    first = office.rights(before.workflows["w"], Trust.SIGNED)
    assert first.denial("run", "make") is None
    assert office.rights(before.workflows["w"], Trust.SIGNED) is first
    assert office.rights(before.workflows["w"], Trust.LOCAL).trust == Trust.LOCAL

    current[0] = after
    now = office.rights(before.workflows["w"], Trust.SIGNED)
    assert now.denial("run", "make") is not None
    assert now.denial("run", "rm") is None
