"""Ctrl-C while a command is being loaded."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from hooksd.cli.interrupts import fatal

INTERRUPTED_LOADING = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
sys.argv[1:] = ["status"]
from hooksd.__main__ import main
main()
"""


def run(program: str, *before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("module", ["hooksd.cli.main", "click", "hooksd.cli.status", "orjson"])
def test_an_interrupt_while_a_command_is_loaded_ends_it_without_a_word(module: str) -> None:
    done = run(INTERRUPTED_LOADING.format(module=module))

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    done = run(INTERRUPTED_LOADING.format(module="orjson"), "env", "--ignore-signal=INT")

    assert done.returncode not in {-signal.SIGINT, 130}
    assert "Traceback" not in done.stderr


def test_afterwards_interrupts_are_what_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)

    with fatal():
        inside = signal.getsignal(signal.SIGINT)

    assert inside is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before
