from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooksd.model.received import LONGEST_NAME, ReceivedFile, free_key, numbered, safe_name


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\report 2026.xlsx", "report_2026.xlsx"),
        ("Rechnung März.pdf", "Rechnung_Marz.pdf"),
        (".htaccess", "htaccess"),
        ("-rf", "rf"),
        ("a; rm -rf ~.sh", "a_rm_-rf_.sh"),
        ("x\x00.png", "png"),
        ("..", "file"),
        ("", "file"),
        ("\u202egnp.exe", "gnp.exe"),
        ("日本", "file"),
        ("a" * 300 + ".tar.gz", "a" * (LONGEST_NAME - 3) + ".gz"),
    ],
)
def test_a_safe_name_is_made_of_the_callers(filename: str, name: str) -> None:
    assert safe_name(filename) == name


@given(st.text())
def test_whatever_the_caller_writes_the_name_is_safe(filename: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", safe_name(filename))
    assert not safe_name(filename).endswith(".")


@given(st.text())
def test_a_safe_name_stays_as_it_is(filename: str) -> None:
    assert safe_name(safe_name(filename)) == safe_name(filename)


def test_expressions_read_where_the_bytes_are() -> None:
    file = ReceivedFile(
        field="doc", name="a.pdf", filename="ä/a.pdf", media="application/pdf", size=3, digest="sha256:ab" + "c" * 62
    )

    assert file.as_json("/var/log/hooksd") == {
        "field": "doc",
        "name": "a.pdf",
        "filename": "ä/a.pdf",
        "media": "application/pdf",
        "size": 3,
        "sha256": "ab" + "c" * 62,
        "path": "/var/log/hooksd/blobs/ab/ab" + "c" * 62,
    }


def test_files_of_one_field_are_numbered() -> None:
    taken: dict[str, int] = {}
    for _ in range(3):
        taken[free_key("doc", taken)] = 1
    taken[free_key("doc_2", taken)] = 1

    assert list(taken) == ["doc", "doc_2", "doc_3", "doc_2_2"]


def test_variants_of_a_name_keep_its_ending() -> None:
    assert list(islice(numbered("a.tar.gz"), 3)) == ["a.tar.gz", "a.tar-2.gz", "a.tar-3.gz"]
    assert list(islice(numbered("a"), 2)) == ["a", "a-2"]
    assert len(list(numbered("a"))) == 1000
