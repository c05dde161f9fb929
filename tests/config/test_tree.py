from __future__ import annotations

import os
from pathlib import Path

import pytest

from hooksd.config.tree import MAX_FILE, Tree, gather, glance, is_definition, look, read, scan
from tests.config.descriptors import no_descriptors
from tests.config.unprivileged import unprivileged


@pytest.mark.parametrize("path", ["a.toml", "a.json", "deep/er/a.toml", "x.toml/y.json"])
def test_toml_and_json_files_are_definitions_wherever_they_stand(path: str) -> None:
    assert is_definition(path)


@pytest.mark.parametrize(
    "path", [".a.toml", "a.toml~", "a.yaml", ".git/a.toml", "old~/a.toml", "..data/a.toml", "a.toml.swp"]
)
def test_hidden_files_backups_and_other_formats_are_not_definitions(path: str) -> None:
    assert not is_definition(path)


def test_a_look_finds_the_definitions_below_the_directory_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.toml", "sub/b.json", ".git/c.toml", "d.toml~", "README.md", "sub/.e.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("version = 1")
    found = look(tmp_path)
    assert sorted(found.files) == ["a.toml", "sub/b.json"]
    assert found.exists
    assert found.problems == found.unreadable == ()


def test_two_looks_at_the_same_content_are_equal_and_a_write_makes_them_differ(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("version = 1")
    before = look(tmp_path)
    assert look(tmp_path) == before
    file.write_text("version = 2")
    assert look(tmp_path) != before


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.YML", "a.TOML", "a.Json", "a.json5", "a.jsonc"])
def test_a_file_that_looks_like_definitions_and_is_not_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_text("version = 1")
    found = look(tmp_path)
    assert found.files == {}
    assert found.problems == (f"sub/{name}: left out, only names that end with .toml or .json are read",)
    assert found.unreadable == ()


def test_what_editors_people_and_other_programs_leave_behind_is_not_named(tmp_path: Path) -> None:
    for name in (".a.yaml", "a.toml.bak", "a.toml.orig", "a.yaml~", "a.toml.disabled", "README.md", "yaml", "a.txt"):
        (tmp_path / name).write_text("version = 1")
    (tmp_path / "dir.yaml").mkdir()
    assert look(tmp_path).problems == ()


def test_a_glance_at_a_file_that_looks_like_definitions_leaves_it_to_a_look(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    before = look(root)
    (root / "a.yaml").write_text("version: 1")
    assert glance(root, before, [str(root / "a.yaml")]) is None


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    root = (tmp_path / "hooks.d").resolve()
    (root / "sub").mkdir(parents=True)
    for name in ("a.toml", "sub/b.toml", "notes.txt", ".a.toml.swp"):
        (root / name).write_text("version = 1")
    return root


def test_a_glance_at_what_changed_sees_what_a_look_would(hooks: Path) -> None:
    before = look(hooks)
    paths = [str(hooks / name) for name in ("a.toml", "sub/b.toml", "notes.txt", ".a.toml.swp")]
    for path in paths:
        Path(path).write_text("version = 2")
    after = glance(hooks, before, paths)
    assert after == look(hooks) != before
    assert glance(hooks, before, paths[2:]) == before


def test_a_glance_goes_through_a_link_that_is_the_directory(hooks: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(hooks)
    before = look(tmp_path / "link")
    (hooks / "a.toml").write_text("version = 2")
    assert glance(tmp_path / "link", before, [str(hooks / "a.toml")]) == look(tmp_path / "link")


def test_a_glance_sees_that_the_directory_is_another_one(hooks: Path) -> None:
    (hooks.parent / "up").mkdir()
    hooks.rename(hooks.parent / "up" / "hooks.d")
    root = hooks.parent / "up" / "hooks.d"
    before = look(root)
    assert glance(root, before, ()) == before
    (hooks.parent / "up").rename(hooks.parent / "away")
    assert glance(root, before, ()) is None
    gone = look(root)
    assert glance(root, gone, ()) == gone
    root.mkdir(parents=True)
    assert glance(root, gone, ()) is None
    assert glance(root, before, ()) is None


def test_a_glance_does_not_judge_what_links_directories_and_missing_or_new_files_mean(hooks: Path) -> None:
    before = look(hooks)
    (hooks / "..data").symlink_to("sub")
    (hooks / "new.toml").write_text("version = 1")
    (hooks / "more.toml").mkdir()
    with (hooks / "a.toml").open("ab") as file:
        file.truncate(MAX_FILE + 1)
    for name in ("..data", "new.toml", "more.toml", "gone.toml", "a.toml", ".."):
        assert glance(hooks, before, [str(hooks / name)]) is None, name
    assert glance(hooks, before, ["/etc/passwd"]) is None


def test_a_directory_that_is_not_there_is_watched_through_the_nearest_one_that_is(tmp_path: Path) -> None:
    found = look(tmp_path / "not" / "there")
    assert not found.exists
    assert found.files == {}
    assert str(tmp_path) in found.watched


def test_a_file_is_not_a_directory_of_definitions(tmp_path: Path) -> None:
    (tmp_path / "hooks.d").write_text("")
    assert not look(tmp_path / "hooks.d").exists


def test_every_directory_that_holds_a_link_on_the_way_is_watched(tmp_path: Path) -> None:
    (tmp_path / "releases" / "1").mkdir(parents=True)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "current").symlink_to("../releases/1")
    (tmp_path / "hooks.d").symlink_to(tmp_path / "links" / "current")
    watched = look(tmp_path / "hooks.d").watched
    expected = [tmp_path, tmp_path / "links", tmp_path / "releases", tmp_path / "releases" / "1"]
    assert {str(path) for path in expected} <= watched.keys()


def test_a_pipe_named_like_a_definition_is_left_out_and_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.toml")
    found = look(tmp_path)
    assert found.files == {}
    assert found.problems == ("x.toml: left out, it is not a regular file",)
    assert found.unreadable == ()


def test_a_directory_named_like_a_definition_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    (tmp_path / "x.toml" / "y.toml").write_text("version = 1")
    assert list(look(tmp_path).files) == ["x.toml/y.toml"]


@pytest.mark.parametrize("name", [b"caf\xe9.toml", b"a\nb.toml", b"\x1b[2J.json"])
def test_a_name_that_cannot_be_shown_is_left_out_and_named_in_ascii(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "good.toml").write_text("version = 1")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("version = 1")
    found = look(tmp_path)
    assert list(found.files) == ["good.toml"]
    [problem] = found.problems
    assert "not printable UTF-8" in problem
    assert problem.isascii()
    assert problem.isprintable()


def test_links_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("version = 1")
    (tmp_path / "again").symlink_to(".")
    (tmp_path / "self").symlink_to("self")
    found = look(tmp_path)
    assert list(found.files) == ["a.toml"]
    assert [line.partition(":")[0] for line in found.problems] == ["self", "again"]


@pytest.mark.parametrize("target", ["x.toml", "nowhere.toml"])
def test_a_definition_that_links_to_nothing_is_a_hole_in_the_set(tmp_path: Path, target: str) -> None:
    (tmp_path / "x.toml").symlink_to(target)
    found = look(tmp_path)
    assert found.files == {}
    assert len(found.unreadable) == 1
    assert found.unreadable[0].startswith("x.toml: ")


def test_a_file_of_absurd_length_is_a_hole_in_the_set_and_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "disk.json").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    found = look(tmp_path)
    assert found.files == {}
    assert found.unreadable == ("disk.json: it is longer than 4 MiB",)


def test_a_directory_that_may_not_be_listed_is_a_hole_in_the_set() -> None:
    with unprivileged() as root:
        (root / "closed").mkdir()
        (root / "closed" / "a.toml").write_text("version = 1")
        (root / "closed").chmod(0)
        found = look(root)
        (root / "closed").chmod(0o700)
    assert found.files == {}
    assert found.unreadable == ("closed: permission denied",)


def test_reading_gives_the_bytes_that_the_look_saw_or_none(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"version = 1\n")
    mark = look(tmp_path).files["a.toml"]
    assert read(str(file), mark) == b"version = 1\n"
    file.write_bytes(b"version = 2\n")
    os.utime(file, ns=(1, 1))
    assert read(str(file), mark) is None


def test_reading_a_pipe_that_took_the_place_of_a_file_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"version = 1\n")
    mark = look(tmp_path).files["a.toml"]
    file.unlink()
    os.mkfifo(file)
    assert read(str(file), mark) is None


def test_a_file_without_permission_is_named_beside_the_others() -> None:
    with unprivileged() as root:
        (root / "a.toml").write_bytes(b"a = 1\n")
        (root / "secret.toml").write_bytes(b"a = 1\n")
        (root / "secret.toml").chmod(0)
        found = scan(root)
    assert found == Tree(files={"a.toml": b"a = 1\n"}, unreadable=("secret.toml: permission denied",))


def test_the_command_line_reads_what_is_there_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\n")
    assert scan(tmp_path) == Tree(files={"a.toml": b"a = 1\n"})
    assert not scan(tmp_path / "missing").exists


def test_files_that_never_hold_still_are_not_read_in_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\n")
    monkeypatch.setattr("hooksd.config.tree.read", lambda *_: None)
    found = scan(tmp_path)
    assert found.files == {}
    assert "change faster" in found.unreadable[0]


def test_what_is_known_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\n")
    seen = look(tmp_path)
    assert gather(tmp_path, seen, {"a.toml": (seen.files["a.toml"], b"known")}) == Tree(files={"a.toml": b"known"})
    assert gather(tmp_path, seen, {"a.toml": ((0, 0, 0, 0, 0), b"old")}) == Tree(files={"a.toml": b"a = 1\n"})


def test_without_a_descriptor_to_look_with_nothing_is_said_of_the_definitions(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\n")
    seen = look(tmp_path)
    with no_descriptors():
        for attempt in (lambda: look(tmp_path), lambda: gather(tmp_path, seen, {})):
            with pytest.raises(OSError, match="Too many open files"):
                attempt()
        found = scan(tmp_path)
    assert found == Tree(unreadable=(".: too many open files",))
