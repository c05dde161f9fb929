from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hooksd.config.diagnostics import Diagnostic
from hooksd.config.load import Loaded, Loader
from hooksd.config.tree import Tree
from hooksd.daemon.judge import Held, Judge, Pause, Ready, Rejected, Unchanged, Verdict, at_once
from tests.config.sets import store

ROLE = '[roles.NAME]\nallow = ["send:x"]\n'


def roles(count: int) -> bytes:
    return ("version = 1\n" + "".join(ROLE.replace("NAME", f"r{number}") for number in range(count))).encode()


def tree(count: int) -> Tree:
    return Tree(files={"roles.toml": roles(count)})


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(root=tmp_path, loader=Loader(secrets=store(), allow_inline_secrets=False), secrets=store())


def ready(verdict: Verdict) -> Ready:
    assert isinstance(verdict, Ready)
    return verdict


def held(verdict: Verdict) -> Held:
    assert isinstance(verdict, Held)
    return verdict


def rejected(verdict: Verdict) -> Rejected:
    assert isinstance(verdict, Rejected)
    return verdict


def test_a_good_set_is_ready_with_what_it_changes(judge: Judge) -> None:
    first = ready(judge.judge(tree(1), None, accept=None, again=False))
    second = ready(judge.judge(tree(2), first.snapshot, accept=None, again=False))
    assert second.difference.added == ("role/r1",)
    assert second.snapshot.roles.keys() == {"r0", "r1"}


def test_what_runs_already_is_only_judged_again_when_asked_for(judge: Judge) -> None:
    running = ready(judge.judge(tree(1), None, accept=None, again=False)).snapshot
    assert isinstance(judge.judge(tree(1), running, accept=None, again=False), Unchanged)
    assert not ready(judge.judge(tree(1), running, accept=None, again=True)).difference


def test_a_broken_set_is_rejected_with_what_is_wrong(judge: Judge) -> None:
    found = rejected(judge.judge(Tree(files={"a.toml": b"version ="}), None, accept=None, again=False))
    assert [(item.code, item.file) for item in found.diagnostics] == [("H002", "a.toml")]


def test_one_error_rejects_a_set_although_all_of_it_could_be_read(tmp_path: Path) -> None:
    error = Diagnostic(
        code="H012", message="unknown key `x`", file="roles.toml", line=2, column=1, end_column=2, excerpt="x"
    )

    class Lenient(Loader):
        def load(self, files: Mapping[str, bytes], pause: Pause = at_once) -> Loaded:
            return replace(super().load(files, pause), diagnostics=(error,))

    judge = Judge(root=tmp_path, loader=Lenient(secrets=store(), allow_inline_secrets=False), secrets=store())
    assert rejected(judge.judge(tree(1), None, accept=None, again=False)).diagnostics == (error,)


def test_a_set_with_a_hole_is_rejected_even_if_the_rest_is_what_runs(judge: Judge) -> None:
    running = ready(judge.judge(tree(1), None, accept=None, again=False)).snapshot
    torn = Tree(files=tree(1).files, unreadable=("sub/b: c.toml: permission denied",))
    [found] = rejected(judge.judge(torn, running, accept=None, again=False)).diagnostics
    assert (found.file, found.message) == ("sub/b: c.toml", "permission denied")


def test_a_set_is_the_same_whatever_was_left_out_beside_it(judge: Judge) -> None:
    running = ready(judge.judge(tree(1), None, accept=None, again=False)).snapshot
    odd = Tree(files=tree(1).files, problems=("pipe.toml: left out, it is not a regular file",))
    assert isinstance(judge.judge(odd, running, accept=None, again=False), Unchanged)
    assert ready(judge.judge(odd, running, accept=None, again=True)).warnings == ()


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (tree(2), "it would remove 4 of 6 definitions"),
        (Tree(), "no definition is left"),
        (Tree(exists=False), "the directory of definitions is gone"),
    ],
    ids=["most", "empty", "gone"],
)
def test_a_set_that_removes_most_of_what_runs_is_held_until_its_revision_is_accepted(
    judge: Judge, after: Tree, reason: str
) -> None:
    running = ready(judge.judge(tree(6), None, accept=None, again=False)).snapshot
    found = held(judge.judge(after, running, accept=None, again=False))
    assert found.reason == reason
    assert "role/r5" in found.removed
    assert isinstance(judge.judge(after, running, accept="0123456789ab", again=True), Held)
    assert isinstance(judge.judge(after, running, accept=running.revision.id, again=True), Held)
    for accept in (found.revision.id, found.revision.tree):
        taken = ready(judge.judge(after, running, accept=accept, again=True))
        assert taken.difference.removed == found.removed


def test_an_accepted_revision_that_is_broken_is_rejected_all_the_same(judge: Judge) -> None:
    running = ready(judge.judge(tree(6), None, accept=None, again=False)).snapshot
    broken = Tree(files={"a.toml": b"version ="})
    revision = rejected(judge.judge(broken, running, accept=None, again=False)).revision
    rejected(judge.judge(broken, running, accept=revision.id, again=True))


def test_a_directory_that_is_gone_while_nothing_ran_changes_nothing(judge: Judge) -> None:
    running = ready(judge.judge(Tree(), None, accept=None, again=False)).snapshot
    assert isinstance(judge.judge(Tree(exists=False), running, accept=None, again=False), Unchanged)


def test_a_problem_of_building_rejects_the_set(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("hooksd.config.build.compile_workflow", broken)
    files = {"w.toml": b'version = 1\non = "x"\n[[steps]]\nset.x = "1"\n'}
    found = rejected(judge.judge(Tree(files=files), None, accept=None, again=False))
    assert found.diagnostics[-1].file == "w.toml"


def test_a_set_that_makes_us_fail_is_named_by_its_digest(tmp_path: Path) -> None:
    class Broken:
        def load(self, files: Mapping[str, bytes], pause: Pause) -> Loaded:  # noqa: ARG002 - see Checker
            raise RecursionError

    judge = Judge(root=tmp_path, loader=Broken(), secrets=store())
    with pytest.raises(RecursionError):
        judge.judge(tree(1), None, accept=None, again=False)
    found = judge.failed(tree(1), RecursionError())
    assert found.revision.tree == judge.failed(tree(1), ValueError()).revision.tree
    assert "RecursionError" in found.diagnostics[0].message
