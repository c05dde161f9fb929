from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from hooksd.cli.webhook_draft import Draft, edited, kept
from hooksd.errors import UsageError


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor that appends what stands in a file."""
    words = tmp_path / "words"
    words.write_text("")
    script = tmp_path / "edit.py"
    script.write_text(
        "import pathlib, sys\n"
        f"words = pathlib.Path({str(words)!r}).read_text()\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "file.write_text('' if words == 'EMPTY' else file.read_text() + words)\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    return words


def test_what_a_person_wrote_comes_back(editor: Path) -> None:
    editor.write_text("# hello\n")

    assert edited(Draft(name="leads", text="version = 1\n")) == "version = 1\n# hello\n"


def test_what_was_left_as_it_was_is_no_change(editor: Path) -> None:
    assert edited(Draft(name="leads", text="version = 1\n")) is None


def test_what_is_new_is_wanted_as_it_is(editor: Path) -> None:
    assert edited(Draft(name="leads", text="version = 1\n", is_new=True)) == "version = 1\n"


def test_an_emptied_text_means_no(editor: Path) -> None:
    editor.write_text("EMPTY")

    assert edited(Draft(name="leads", text="version = 1\n", is_new=True)) is None


def test_a_first_draft_is_a_whole_file() -> None:
    draft = Draft.of("leads", {"event": "lead.created"})

    assert draft.text == 'version = 1\n\n[webhooks.leads]\nauth.type = "none"\nevent     = "lead.created"\n'
    with pytest.raises(UsageError, match="needs a name"):
        Draft.of(None, {})


def test_a_refused_text_is_kept_for_its_author_alone() -> None:
    path = Path(kept("leads", "version = 1\n"))
    try:
        assert path.read_text() == "version = 1\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name.startswith("leads-")
    finally:
        path.unlink()
