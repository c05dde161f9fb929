"""What an editor with a TOML language server says of definitions, from the generated schema alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOMBI = Path(sys.executable).with_name("tombi")

pytestmark = pytest.mark.skipif(not TOMBI.exists(), reason="tombi is not installed")


def lint(tmp_path: Path, text: str) -> list[str]:
    """Return what is wrong, as `line:column message`."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas", dirs_exist_ok=True)
    file = tmp_path / "hooks.d" / "case.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#:schema ../schemas/hooks.v1.schema.json\n{text}")
    command = [str(TOMBI), "lint", "--offline", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    return [
        f"{place} {message}" for message, place in re.findall(r"(?:Error|Warning): (.*)\n\s+at \S+?:(\d+:\d+)", said)
    ]


@pytest.mark.parametrize("file", sorted((ROOT / "hooks.d").glob("*.toml")), ids=lambda file: file.name)
def test_the_shipped_definitions_are_clean(tmp_path: Path, file: Path) -> None:
    assert lint(tmp_path, file.read_text()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('version = 1\non = "a"\nconcurency = "x"\n[[steps]]\nset.a = 1\n', '4:1 "concurency" is not allowed'),
        ('version = 1\non = "a"\n[[steps]]\nset.a = 1\nconcurrency = "x"\n', '6:1 "concurrency" is not allowed'),
        ('version = 1\non = "a"\n[[steps]]\nrun = ["a"]\nhttp = "GET https://x"\n', '6:1 "http" is not allowed'),
        ('version = 1\non = "a"\n[[steps]]\nrun = "a"\n', "5:7 expected a value of type Array, but found String"),
        (
            'version = 1\non = "a"\n[[steps]]\nset.a = 1\ntimeout = 30\n',
            "6:11 expected a value of type String, but found Integer",
        ),
    ],
)
def test_a_mistake_is_marked_where_it_stands(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in lint(tmp_path, text)
