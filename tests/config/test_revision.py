from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.config import revision
from hooksd.config.revision import revision_of, tree_digest
from hooksd.config.tree import scan

FILES = {"a.toml": b"a = 1\n", "sub/b.json": b"{}\n"}


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout.strip()


def write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with definitions in `hooks.d` and other files around them."""
    write(tmp_path / "hooks.d", FILES)
    write(tmp_path, {"README.md": b"text\n", "hooks.d/.hidden.toml": b"x = 1\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=6)
trees = st.dictionaries(names, st.binary(max_size=6), max_size=4)


@given(trees, trees)
def test_two_trees_have_one_digest_only_if_they_are_equal(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (tree_digest(one) == tree_digest(other)) is (one == other)


def test_no_part_of_a_tree_can_pass_for_another_part() -> None:
    assert tree_digest({"a": b"bc"}) != tree_digest({"ab": b"c"})
    assert tree_digest({"a": b"", "b": b""}) != tree_digest({"a": b"b"})


def test_the_order_of_files_does_not_matter() -> None:
    assert tree_digest(dict(reversed(FILES.items()))) == tree_digest(FILES)


def test_outside_of_a_checkout_the_digest_alone_names_the_revision(tmp_path: Path) -> None:
    found = revision_of(tmp_path, FILES)
    assert (found.commit, found.dirty) == (None, False)
    assert found.tree == tree_digest(FILES)
    assert found.id == found.tree.removeprefix("sha256:")[:12]


def test_a_clean_checkout_is_named_by_its_commit(checkout: Path) -> None:
    root = checkout / "hooks.d"
    found = revision_of(root, scan(root).files)
    assert found.commit == git(checkout, "rev-parse", "HEAD")
    assert not found.dirty


@pytest.mark.parametrize(
    "files",
    [FILES | {"a.toml": b"a = 2\n"}, FILES | {"c.toml": b""}, {"a.toml": b"a = 1\n"}, {}],
    ids=["changed", "added", "removed", "empty"],
)
def test_what_was_read_makes_a_revision_dirty_when_the_commit_holds_something_else(
    checkout: Path, files: dict[str, bytes]
) -> None:
    assert revision_of(checkout / "hooks.d", files).dirty


def test_changes_outside_of_the_directory_do_not_make_it_dirty(checkout: Path) -> None:
    write(checkout, {"README.md": b"changed\n", "other.toml": b"", "hooks.d/.hidden.toml": b"", "hooks.d/x.toml~": b""})
    assert not revision_of(checkout / "hooks.d", FILES).dirty


def test_a_link_to_the_directory_leads_to_its_commit(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(checkout / "hooks.d")
    found = revision_of(tmp_path / "link", FILES)
    assert found.commit == git(checkout, "rev-parse", "HEAD")
    assert not found.dirty


def test_a_worktree_has_the_commit_that_is_checked_out_there(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    write(tmp_path / "tree" / "hooks.d", {"a.toml": b"a = 'other'\n"})
    git(tmp_path / "tree", "commit", "-q", "-a", "-m", "two")
    found = revision_of(tmp_path / "tree" / "hooks.d", FILES | {"a.toml": b"a = 'other'\n"})
    assert found.commit == git(tmp_path / "tree", "rev-parse", "HEAD")
    assert found.commit != git(checkout, "rev-parse", "HEAD")
    assert not found.dirty


def test_a_repository_of_sha256_objects_is_compared_as_well(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    git(tmp_path, "init", "-q", "--object-format=sha256")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    found = revision_of(tmp_path, FILES)
    assert len(found.commit or "") == 64
    assert not found.dirty


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert revision_of(tmp_path, FILES).commit is None


def test_a_checkout_of_another_owner_is_read_and_its_programs_are_not_started(checkout: Path, tmp_path: Path) -> None:
    marker = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "filter.x.clean"):
        git(checkout, "config", key, str(program))
    write(checkout, {".gitattributes": b"* filter=x\n"})
    for entry in (checkout, checkout / ".git"):
        subprocess.run(["chown", "65534", entry], check=False, capture_output=True, timeout=5)
    assert revision_of(checkout / "hooks.d", FILES).commit is not None
    assert not marker.exists()


def test_without_git_the_digest_alone_names_the_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert revision_of(checkout / "hooks.d", FILES).commit is None


def test_a_git_that_hangs_does_not_hold_up_a_reload(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(revision, "GIT_TIMEOUT", 0.2)
    assert revision_of(checkout / "hooks.d", FILES).commit is None


def test_a_directory_that_is_gone_has_a_revision_too(tmp_path: Path) -> None:
    assert revision_of(tmp_path / "gone", {}).tree == tree_digest({})
