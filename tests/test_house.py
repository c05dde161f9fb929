"""The rules of the house that no linter has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "hooksd").rglob("*.py"))
MAX_LINES = 400
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
TOP_LEVEL = {
    ".ci", ".git", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "docs", "hooks.d", "hooksd", "pyproject.toml",
    "schemas", "systemd", "tests",
}  # fmt: skip


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code() -> Iterator[Path]:
    yield from MODULES
    yield from sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_says_what_it_is_and_is_short_enough_to_read(module: Path) -> None:
    text = module.read_text()

    assert ast.get_docstring(ast.parse(text)), f"{name(module)} has no docstring"
    assert text.count("\n") <= MAX_LINES


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_values_are_frozen_slotted_and_built_by_keyword(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if "dataclass" in text:
                    assert "slots=True" in text, f"{node.name} has no slots"
                    assert "kw_only=True" in text, f"{node.name} takes positional arguments"
                    assert "frozen=True" in text, f"{node.name} is not frozen"


def test_every_module_has_its_tests_beside_the_same_path() -> None:
    missing = [
        name(module)
        for module in MODULES
        if module.name not in {"__init__.py", "__main__.py"} and not mirror(module).exists() and has_code(module)
    ]

    assert missing == []


def test_every_test_file_is_named_for_what_it_tests() -> None:
    strays = [
        name(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.parent.name not in {"tests", "end_to_end", "docs", "seeds", "durability", "hostile"}
        and not (ROOT / "hooksd" / path.relative_to(ROOT / "tests").parent / path.name.removeprefix("test_")).exists()
    ]

    assert strays == []


def test_nothing_is_left_unfinished() -> None:
    marks = [name(path) for path in code() if path != Path(__file__) and UNFINISHED.search(path.read_text())]

    assert marks == []


def test_tests_never_block_the_thread_they_run_in_with_a_long_sleep() -> None:
    sleeps = re.compile(r"\bsleep\(\s*([0-9.]+)\s*\)")
    long = [
        f"{name(path)}: sleep({seconds})"
        for path in code()
        for seconds in sleeps.findall(path.read_text())
        if float(seconds) > 1 and "import" not in seconds and "end_to_end" not in str(path)
    ]

    assert long == []


def test_the_top_level_holds_nothing_that_does_not_belong_there() -> None:
    tracked = {entry.name for entry in ROOT.iterdir() if not is_ignored(entry)}

    assert tracked <= TOP_LEVEL


def is_ignored(entry: Path) -> bool:
    patterns = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    return entry.name in patterns or entry.suffix == ".egg-info"


def mirror(module: Path) -> Path:
    relative = module.relative_to(ROOT / "hooksd")
    return ROOT / "tests" / relative.parent / f"test_{relative.name}"


def has_code(module: Path) -> bool:
    """Tell whether a module decides anything: data, protocols and values alone need no test of their own."""
    tree = ast.parse(module.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(len(function.body) > 1 and not is_declaration(function) for function in functions)


def is_declaration(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = function.body[-1]
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant) and last.value.value is ...
