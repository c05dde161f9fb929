from __future__ import annotations

from typing import Any

import pytest

from hooksd.engine.steps.intent import Act, Refuse, Settle
from hooksd.model.effect import SavedFile, SaveFiles
from hooksd.model.received import ReceivedFile
from tests.engine.steps.occasions import wants

ALLOW = ("save:/srv/in/*", "save:inbox/*")


def file(name: str, digest: str = "a") -> ReceivedFile:
    return ReceivedFile(
        field="doc", name=name, filename=name, media="text/plain", size=1, digest="sha256:" + digest * 64
    )


FILES = {"doc": file("a.pdf"), "doc_2": file("a.pdf", "b"), "note": file("b.txt", "c")}


def saving(step: dict[str, Any], data: Any = None, **options: Any) -> SaveFiles:
    intent = wants(step, data, **{"allow": ALLOW, "files": FILES, **options})
    assert isinstance(intent, Act), intent
    assert isinstance(intent.effect, SaveFiles)
    return intent.effect


def refusal(step: dict[str, Any], data: Any = None, **options: Any) -> str:
    intent = wants(step, data, **{"allow": ALLOW, "files": FILES, **options})
    assert isinstance(intent, Refuse), intent
    return intent.error


@pytest.mark.parametrize("value", ["files", "[files.doc, files.doc_2, files.note]"])
def test_several_files_go_to_a_directory_under_their_safe_names_each_under_its_own(value: str) -> None:
    effect = saving({"save": value, "to": "/srv/in/{{ event.id }}"})

    names = [item.path.rpartition("/")[2] for item in effect.files]
    assert names == ["a.pdf", "a-2.pdf", "b.txt"]
    assert [item.digest for item in effect.files] == ["sha256:" + letter * 64 for letter in "abc"]
    assert effect.bases == ("/srv/in",) * 3
    assert not effect.is_one
    assert effect.on_exists == "fail"


def test_one_file_goes_where_it_is_told() -> None:
    effect = saving({"save": "files.note", "to": "/srv/in/x.txt", "on_exists": "replace"})

    assert effect.files == (SavedFile(path="/srv/in/x.txt", digest="sha256:" + "c" * 64),)
    assert (effect.is_one, effect.on_exists) == (True, "replace")


def test_one_file_may_go_to_a_directory() -> None:
    assert saving({"save": "files.note", "to": "inbox/"}).files[0].path == "inbox/b.txt"


@pytest.mark.parametrize(
    ("value", "data", "written"),
    [("body.text", {"text": "hä"}, "hä".encode()), ("body", {"n": 1}, b'{"n":1}'), ("body.n", {"n": [1]}, b"[1]")],
)
def test_a_value_is_saved_as_text_or_json(value: str, data: Any, written: bytes) -> None:
    effect = saving({"save": value, "to": "inbox/a.json"}, data, files={})

    assert effect.files == (SavedFile(path="inbox/a.json", data=written),)
    assert effect.bases == ("",)


def test_no_files_are_saved_without_touching_anything() -> None:
    intent = wants({"save": "files", "to": "inbox"}, allow=ALLOW)

    assert intent == Settle(output=[])


def test_data_cannot_name_a_file_that_did_not_come_with_the_event() -> None:
    forged = {"path": "/log/blobs/ff/" + "f" * 64, "sha256": "f" * 64}

    effect = saving({"save": "body", "to": "inbox/x"}, forged)

    assert effect.files[0].digest is None


@pytest.mark.parametrize(
    ("step", "data", "reason"),
    [
        ({"save": "files", "to": "/etc/x"}, None, "does not allow `save:/etc/x/a.pdf`"),
        ({"save": "files.doc", "to": "/srv/in/{{ body.x }}"}, {"x": "../../etc/passwd"}, "is no path"),
        ({"save": "files.doc", "to": "/srv/in/{{ body.x }}"}, {"x": "a\0b"}, "is no path"),
        ({"save": "files.doc", "to": "/srv/in//x"}, None, "is no path"),
        ({"save": "files.doc", "to": "inbox/" + "x" * 256}, None, "more than 255 bytes"),
        ({"save": "body", "to": "inbox/"}, {"a": 1}, "needs the name of a file"),
        ({"save": "body", "to": "inbox/x"}, None, "nothing to save"),
        ({"save": "body.missing", "to": "inbox/x"}, {"a": 1}, "missing"),
    ],
)
def test_what_may_not_be_saved_is_refused_with_the_reason(step: dict[str, Any], data: Any, reason: str) -> None:
    assert reason in refusal(step, data)


def test_without_a_role_nothing_is_saved() -> None:
    assert "needs a role" in refusal({"save": "files", "to": "inbox"}, allow=None)
