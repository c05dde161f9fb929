"""What commands begin with: and what they say when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hooksd.cli.loading import client_of, definitions_of, directory, some_files
from hooksd.config.settings import Settings
from hooksd.errors import DefinitionsRejected, SettingsRejected, UsageError
from tests.cli.conftest import Write


def test_files_are_named_relative_to_the_directory_that_holds_them_all(write: Write, home: Path) -> None:
    one, two = write("a/one.toml", "version = 1\n"), write("b/two.toml", "version = 1\n")

    tree = some_files([one, two])

    assert tree.root == home / "hooks.d"
    assert sorted(tree.files) == ["a/one.toml", "b/two.toml"]


def test_a_directory_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no directory nowhere; name one with --hooks-dir"):
        directory(Path("nowhere"))


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read nowhere\.toml: No such file"):
        some_files([Path("nowhere.toml")])


@pytest.mark.parametrize("name", ["a.yaml", "A.TOML"])
def test_a_file_that_the_daemon_does_not_read_is_not_read_either(write: Write, name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}: only names that end with .toml or .json are read"):
        some_files([write(name, "version = 1\n")])


def test_a_copy_of_a_definition_may_have_any_other_name(write: Write) -> None:
    assert some_files([write("a.toml.new", "version = 1\n")]).files == {"a.toml.new": b"version = 1\n"}


def test_a_file_that_cannot_be_read_and_one_that_is_left_out_are_told_apart(write: Write, home: Path) -> None:
    write("good.toml", "version = 1\n")
    (home / "hooks.d" / "dangling.toml").symlink_to("nowhere")
    os.mkfifo(home / "hooks.d" / "pipe.toml")

    tree = directory(home / "hooks.d")

    assert sorted(tree.files) == ["good.toml"]
    assert [item.file for item in tree.unreadable] == ["dangling.toml"]
    assert [item.file for item in tree.left_out] == ["pipe.toml"]


def test_definitions_are_not_those_of_half_a_set(write: Write, home: Path) -> None:
    write("good.toml", "version = 1\n")
    (home / "hooks.d" / "dangling.toml").symlink_to("nowhere")

    with pytest.raises(DefinitionsRejected, match=r"it is a link to something that is not there"):
        definitions_of(Settings())


def test_definitions_with_errors_are_told_with_their_places(write: Write) -> None:
    write("a.toml", "version = 1\nonn = 1\n")

    with pytest.raises(DefinitionsRejected, match=r"a\.toml:2:1"):
        definitions_of(Settings())


def test_an_admin_token_that_cannot_be_read_is_a_wrong_setting(home: Path) -> None:
    settings = Settings(admin="127.0.0.1:9001", admin_token="env:NOT_SET_ANYWHERE")

    with pytest.raises(SettingsRejected, match=r"admin_token: .*NOT_SET_ANYWHERE"):
        client_of(settings)
