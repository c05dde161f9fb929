"""Examples of the documentation, carried out: definitions are written, commands are run, their output is compared."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.daemon import Daemon

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCHEMA = re.compile(r"^`hooks\.d/(\S+\.json)`:\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# hooks\.d/(\S+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One command and what it says; `…` stands for anything."""

    command: str
    output: str

    def fits(self, said: str) -> bool:
        """Tell whether a command said what the documentation shows."""
        wanted = "[^\n]*".join(re.escape(part) for part in self.output.strip().split("…"))
        return re.fullmatch(wanted, said.strip()) is not None


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text()


def definitions(text: str) -> dict[str, str]:
    """Return the files of definitions that a page shows, by name."""
    blocks = [body for kind, body in _BLOCK.findall(text) if kind == "toml"]
    return {named[1]: body for body in blocks if (named := _FILE.match(body))} | dict(_SCHEMA.findall(text))


def examples(text: str) -> list[Example]:
    """Return the commands that a page shows, in order."""
    blocks = "".join(body for kind, body in _BLOCK.findall(text) if kind == "console")
    found = []
    for part in re.split(r"^\$ ", blocks, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        found.append(Example(command=command, output=output))
    return found


def carried_out(example: Example, daemon: Daemon) -> str:
    """Run a command beside a daemon and return what it said."""
    command = example.command.replace("127.0.0.1:9000", f"127.0.0.1:{daemon.port}")
    return shell(command.replace(".hooksd/state/", f"{daemon.directory}/state/"), daemon)


def shell(script: str, daemon: Daemon) -> str:
    """Run a script in the directory of a daemon and return what it said."""
    done = subprocess.run(
        ["/bin/sh", "-euc", script],
        cwd=daemon.directory,
        env=daemon.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr
