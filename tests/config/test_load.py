"""Every diagnostic as people see it: `golden/CASE/` holds files and what is said of them in `expected.txt`.

`HOOKSD_GOLDEN=write pytest tests/config/test_load.py` writes the expected texts anew; read the difference before you
commit it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooksd.config.diagnostics import CODES, render_text
from tests.config.loading import CREDENTIALS, ENVIRONMENT, load

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir())


def files_of(case: str) -> dict[str, bytes]:
    root = GOLDEN / case
    paths = (path for path in root.rglob("*") if path.suffix in (".toml", ".json"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("case", CASES)
def test_the_report_on_a_set_of_files_is_the_expected_one(case: str, tmp_path: Path) -> None:
    report = render_text(load(tmp_path, files_of(case)).diagnostics, color=False)
    expected = GOLDEN / case / "expected.txt"
    if os.environ.get("HOOKSD_GOLDEN") == "write":
        expected.write_text(report, encoding="utf-8")
    assert report == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in CASES if case != "correct"])
def test_every_case_but_one_is_refused_or_warned_of(case: str, tmp_path: Path) -> None:
    assert load(tmp_path, files_of(case)).diagnostics


def test_the_correct_case_gives_definitions(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("correct"))
    assert loaded.definitions is not None
    assert loaded.definitions.counts() == {"webhooks": 2, "endpoints": 0, "workflows": 1, "roles": 1}


def test_every_code_occurs_in_some_golden_file(tmp_path: Path) -> None:
    seen = {diagnostic.code for case in CASES for diagnostic in load(tmp_path, files_of(case)).diagnostics}
    # A file of more than four MiB is no golden file: H007 is also the code of deep nesting.
    assert set(CODES) - seen == set()


def test_no_report_shows_the_value_of_a_secret(tmp_path: Path) -> None:
    values = [value.decode().strip() for value in CREDENTIALS.values()] + list(ENVIRONMENT.values())
    for case in CASES:
        report = render_text(load(tmp_path, files_of(case)).diagnostics, color=False)
        assert not any(value in report for value in values if value)


@pytest.mark.parametrize("case", ["secrets", "bytes"])
def test_no_report_shows_a_literal_secret(case: str, tmp_path: Path) -> None:
    report = render_text(load(tmp_path, files_of(case)).diagnostics, color=False)
    assert "hunter2" not in report
    assert "plain text" not in report


def test_carets_point_at_what_is_meant(tmp_path: Path) -> None:
    for case in CASES:
        for diagnostic in load(tmp_path, files_of(case)).diagnostics:
            assert diagnostic.excerpt is not None
            assert 1 <= diagnostic.column <= diagnostic.end_column <= len(diagnostic.excerpt) + 1


def marked(lines: list[str]) -> Iterator[str]:
    yield from (line for line in lines if "^" in line)


def test_the_text_has_one_caret_line_for_each_diagnostic(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("unknown-key"))
    report = render_text(loaded.diagnostics, color=False)
    assert len(list(marked(report.splitlines()))) == len(loaded.diagnostics)


def test_accepted_toml_means_what_the_standard_library_reads(tmp_path: Path) -> None:
    loaded = load(tmp_path, files_of("correct"))
    assert loaded.definitions is not None
    tree = tomllib.loads((GOLDEN / "correct" / "deploy.toml").read_text())
    assert loaded.definitions.workflows["deploy"].document == {
        key: value for key, value in tree.items() if key not in ("version", "webhooks")
    }
