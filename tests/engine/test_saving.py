from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from hooksd.engine.saving import FileSaver
from hooksd.model.effect import Performed, SavedFile, SaveFiles

Policy = Literal["fail", "replace", "keep", "rename"]


class Place:
    """A directory that a role allows, one that it does not, and blobs."""

    def __init__(self, root: Path) -> None:
        self.allowed = root / "in"
        self.allowed.mkdir()
        self.secret = root / "secret"
        self.secret.mkdir()
        self.home = root / "state" / "files"
        self.blobs = root / "blobs"
        self.blobs.mkdir()
        self.saver = FileSaver(locate=lambda digest: self.blobs / digest[7:], home=self.home)

    def blob(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        (self.blobs / sha256).write_bytes(data)
        return f"sha256:{sha256}"

    async def save(
        self, files: Mapping[str, bytes | str], on_exists: Policy = "fail", *, is_one: bool = False
    ) -> Performed:
        """Save values, or blobs by their digests."""
        items = tuple(
            SavedFile(path=path, digest=value) if isinstance(value, str) else SavedFile(path=path, data=value)
            for path, value in files.items()
        )
        bases = tuple(str(self.allowed) if path.startswith("/") else "" for path in files)
        effect = SaveFiles(files=items, bases=bases, on_exists=on_exists, is_one=is_one, id="run-steps[0]")
        return await self.saver.save(effect)

    async def save_one(self, name: str, data: bytes, on_exists: Policy = "fail") -> Any:
        performed = await self.save({f"{self.allowed}/{name}": data}, on_exists, is_one=True)
        return performed.output if performed.ok else performed.error

    def found(self) -> dict[str, bytes]:
        paths = (path for path in self.allowed.rglob("*") if path.is_file())
        return {str(path.relative_to(self.allowed)): path.read_bytes() for path in paths}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_files_and_values_are_there_with_what_is_known_of_them(place: Place) -> None:
    digest = place.blob(b"%PDF" * 200_000)

    performed = await place.save({f"{place.allowed}/a/b/x.pdf": digest, f"{place.allowed}/y": b"hi"})

    assert performed.ok
    assert performed.output[0] == {
        "path": f"{place.allowed}/a/b/x.pdf",
        "name": "x.pdf",
        "size": 800_000,
        "sha256": digest[7:],
        "state": "saved",
    }
    assert place.found() == {"a/b/x.pdf": b"%PDF" * 200_000, "y": b"hi"}


async def test_a_relative_path_begins_at_a_directory_of_our_own(place: Place) -> None:
    performed = await place.save({"inbox/x": b"1"}, is_one=True)

    assert performed.output["path"] == f"{place.home}/inbox/x"
    assert (place.home / "inbox/x").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("policy", "says", "left"),
    [
        ("fail", "another file with this name", {"x.txt": b"old"}),
        ("keep", {"name": "x.txt", "state": "kept"}, {"x.txt": b"old"}),
        ("replace", {"name": "x.txt", "state": "saved"}, {"x.txt": b"new"}),
        ("rename", {"name": "x-2.txt", "state": "saved"}, {"x.txt": b"old", "x-2.txt": b"new"}),
    ],
)
async def test_where_another_file_has_the_name_the_step_says_what_happens(
    place: Place, policy: Policy, says: Any, left: dict[str, bytes]
) -> None:
    (place.allowed / "x.txt").write_bytes(b"old")

    output = await place.save_one("x.txt", b"new", policy)

    if isinstance(says, str):
        assert says in output
    else:
        assert {key: output[key] for key in says} == says
    assert place.found() == left


@pytest.mark.parametrize("policy", ["fail", "keep", "replace", "rename"])
async def test_saving_again_after_a_crash_changes_nothing(place: Place, policy: Policy) -> None:
    await place.save_one("x.txt", b"new", policy)
    (place.allowed / "x-2.txt").write_bytes(b"other")

    output = await place.save_one("x.txt", b"new", policy)

    assert output["name"] == "x.txt"
    assert place.found() == {"x.txt": b"new", "x-2.txt": b"other"}


async def test_what_a_crash_left_half_written_is_gone_after_the_next_attempt(place: Place) -> None:
    (place.allowed / "x.txt").write_bytes(b"old")
    await place.save_one("x.txt", b"new")
    scratch = f".hooksd-{hashlib.sha256(b'run-steps[0]/0').hexdigest()[:24]}"
    (place.allowed / scratch).write_bytes(b"half")

    await place.save_one("y.txt", b"new")

    assert place.found() == {"x.txt": b"old", "y.txt": b"new"}


async def test_a_link_on_the_way_leads_nowhere(place: Place) -> None:
    (place.allowed / "out").symlink_to(place.secret)

    assert "link" in await place.save_one("out/x", b"1")
    assert list(place.secret.iterdir()) == []


@pytest.mark.parametrize("policy", ["fail", "keep", "replace", "rename"])
async def test_a_link_in_the_place_of_a_file_is_not_followed(place: Place, policy: Policy) -> None:
    target = place.secret / "passwd"
    target.write_bytes(b"root")
    (place.allowed / "x").symlink_to(target)

    await place.save_one("x", b"evil", policy)

    assert target.read_bytes() == b"root"


async def test_the_allowed_directory_itself_may_be_a_link(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(place.allowed)
    effect = SaveFiles(
        files=(SavedFile(path=f"{tmp_path}/other/x", data=b"1"),),
        bases=(f"{tmp_path}/other",),
        on_exists="fail",
        is_one=True,
        id="r",
    )

    assert (await place.saver.save(effect)).ok
    assert place.found() == {"x": b"1"}


async def test_a_directory_that_the_role_names_must_be_there(place: Place) -> None:
    place.allowed.rmdir()

    assert "No such file" in await place.save_one("x", b"1")


@pytest.mark.parametrize("kind", ["folder", "fifo"])
async def test_what_is_no_file_is_never_replaced_in_silence(place: Place, kind: str) -> None:
    if kind == "folder":
        (place.allowed / "x").mkdir()
    else:
        os.mkfifo(place.allowed / "x")

    assert "another file" in await place.save_one("x", b"1")
    assert (await place.save_one("x", b"1", "rename"))["name"] == "x-2"


async def test_a_file_of_the_request_that_is_damaged_or_gone_is_not_saved(place: Place) -> None:
    digest = place.blob(b"good")
    (place.blobs / digest[7:]).write_bytes(b"evil")

    damaged = await place.save({f"{place.allowed}/x": digest})
    (place.blobs / digest[7:]).unlink()
    gone = await place.save({f"{place.allowed}/x": digest})

    assert "damaged" in (damaged.error or "")
    assert "not there any more" in (gone.error or "")
    assert list(place.allowed.iterdir()) == []


async def test_the_first_that_fails_ends_it_and_those_before_are_told(place: Place) -> None:
    (place.allowed / "b").write_bytes(b"old")

    performed = await place.save({f"{place.allowed}/{name}": b"1" for name in "abc"})

    assert not performed.ok
    assert (performed.error or "").startswith(f"{place.allowed}/b: ")
    assert [item["name"] for item in performed.output] == ["a"]
    assert place.found() == {"a": b"1", "b": b"old"}
