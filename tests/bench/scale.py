"""What grows with the number of definitions and the length of the log, and what must not.

    python -m tests.bench.scale [loading|memory|throughput|log|start ...]

from the top of the repository, on a machine that does nothing else. Nothing is left behind: definitions and logs are
written below `--directory` (default: the system's) and removed; the log of `log` takes 2 GB (`--gigabytes`).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hooksd.journal.index import write_notes
from tests.bench.load import Load, offer
from tests.bench.long_log import RARE, write_log
from tests.bench.payload import SECRET, push, signature

MANY = 10_000
PATIENCE = 60.0
"""Seconds after which a daemon counts as stuck."""
IDLE = 3.0
"""Seconds after which a daemon that has started has calmed down."""
CALM = 10.0
"""Seconds in which a daemon is watched that has nothing to do."""
PROBE = 0.002
"""Seconds between two requests that feel whether the event loop stands still."""

WEBHOOK = """version = 1

[webhooks.h{number}]
auth.type   = "hmac"
auth.header = "X-Hub-Signature-256"
auth.format = "sha256={{signature}}"
auth.secret = "env:BENCH_SECRET"
answer      = "{answer}"
"""
WORKFLOW = """version     = 1
on          = "webhook:h{number}"
when        = "body.ref == 'refs/heads/{ref}' and not body.deleted"
concurrency = "deploy-{number}-{{{{ body.repository.full_name }}}}"

[[steps]]
id = "note"
set.commit = "{{{{ body.after }}}} of {number}"

[[steps]]
id = "answer"
respond.{word} = "{{{{ vars.commit }}}}"
"""


def write_definitions(directory: Path, count: int, word: str) -> None:
    """Write as many files with one definition each: webhooks, and workflows that no other is like."""
    for number in range(count):
        folder = directory / f"team-{number % 100:02}"
        folder.mkdir(parents=True, exist_ok=True)
        pair = number // 2
        if number % 2:
            text = WORKFLOW.format(number=pair, ref="main" if pair == 0 else f"release-{pair}", word=word)
        else:
            text = WEBHOOK.format(number=pair, answer="wait:5s" if pair == 0 else "accept")
        (folder / f"d{number}.toml").write_text(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon that serves."""

    process: subprocess.Popen[bytes]
    port: int
    started: float
    """Seconds from its start to being ready."""

    def spent(self) -> float:
        """Return its processor time so far in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to the trigger listener."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def memory(self) -> float:
        """Return the resident memory of it and its children in MB."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_resident(pid) for pid in pids) / 1e6

    def switches(self) -> int:
        """Return how often its threads have been woken or put to sleep so far."""
        lines = (line for task in self._tasks() for line in (task / "status").read_text().splitlines())
        return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)

    def _tasks(self) -> list[Path]:
        return list(Path(f"/proc/{self.process.pid}/task").iterdir())


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def serving(directory: Path, hooks: Path, *, core: int | None = None) -> Iterator[Daemon]:
    """Run a daemon for some definitions, with its log below a directory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKSD_")}
    pin = ["taskset", "-c", str(core)] if core is not None else []
    state = Path(tempfile.mkdtemp(dir=directory))
    paths = {"--hooks-dir": hooks, "--log-dir": state / "log", "--state-dir": state / "state"}
    flags = [str(part) for flag in paths.items() for part in flag]
    command = [*pin, sys.executable, "-m", "hooksd", "serve", *flags, "--listen", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    with (state / "output").open("wb") as output:
        process = subprocess.Popen(command, env={**environment, "BENCH_SECRET": SECRET}, stderr=output)
    try:
        _wait(lambda: process.poll() is not None or _is_ready(port), 0.005)
        if process.poll() is not None:
            raise SystemExit((state / "output").read_text())
        yield Daemon(process=process, port=port, started=time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(state)


def _wait(is_over: Callable[[], bool], pause: float) -> None:
    for _ in range(int(PATIENCE / pause)):
        if is_over():
            return
        time.sleep(pause)
    raise SystemExit("it takes too long")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def answer(connection: http.client.HTTPConnection) -> bytes:
    """Call the webhook whose workflow answers."""
    body = push(1024)
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body)}
    connection.request("POST", "/hooks/h0", body, headers)
    return connection.getresponse().read()


@contextlib.contextmanager
def feeling(daemon: Daemon) -> Iterator[list[float]]:
    """Ask for the health of a daemon all the time, and collect how long each answer took in milliseconds."""
    waits: list[float] = []
    is_over = threading.Event()

    def feel() -> None:
        connection = daemon.connect()
        while not is_over.wait(PROBE):
            began = time.perf_counter()
            connection.request("GET", "/livez")
            connection.getresponse().read()
            waits.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=feel)
    thread.start()
    try:
        yield waits
    finally:
        is_over.set()
        thread.join()


def loading(directory: Path) -> None:
    """Measure a cold start, a change of one file, and a change of all files under requests."""
    one, two, link = directory / "one", directory / "two", directory / "hooks.d"
    write_definitions(one, MANY, "first")
    write_definitions(two, MANY, "all")
    link.symlink_to(one)
    with serving(directory, link) as daemon:
        found = f"{daemon.started:.1f} s ({daemon.spent():.1f} of CPU)"
        say("cold load of 10,000 definitions, start of the process included", found, "4 s")
        change_one(daemon, one / "team-01" / "d1.toml")
        with feeling(daemon) as waits:
            time.sleep(1)
            quiet = max(waits)
            waits.clear()
            began = time.perf_counter()
            (directory / "next").symlink_to(two)
            (directory / "next").replace(link)
            connection = daemon.connect()
            _wait(lambda: b'"all"' in answer(connection), 0.02)
            seconds = time.perf_counter() - began
        p99 = statistics.quantiles(waits, n=100)[98]
        say(f"all 10,000 changed ({seconds:.1f} s): p99 of /livez meanwhile", f"{p99:.1f} ms", "5 ms")
        say(f"the same, longest (without a reload: {quiet:.1f} ms)", f"{max(waits):.0f} ms", "150 ms")


def change_one(daemon: Daemon, file: Path) -> None:
    """Measure how long it takes from the change of one file to an answer by its new content."""
    connection, text = daemon.connect(), file.read_text()
    took, spent = [], daemon.spent()
    for word in (f"change_{number}" for number in range(5)):
        time.sleep(0.5)
        began = time.perf_counter()
        file.write_text(text.replace("respond.first", f"respond.{word}"))
        _wait(lambda word=word: word.encode() in answer(connection), 0.01)  # type: ignore[misc] # bound now
        took.append((time.perf_counter() - began) * 1000)
    found = f"{statistics.median(took):.0f} ms ({(daemon.spent() - spent) * 200:.0f} of CPU)"
    say("one changed file of 10,000: change to new answer, median of 5", found, "250 ms")


def memory(directory: Path) -> None:
    """Measure what a daemon holds and does when nothing happens."""
    for count, target in ((100, "70 MB"), (MANY, "300 MB")):
        hooks = directory / f"memory-{count}"
        write_definitions(hooks, count, "x")
        with serving(directory, hooks) as daemon:
            time.sleep(IDLE)
            say(f"resident memory with {count} definitions, idle", f"{daemon.memory():.0f} MB", target)
            spent, switches = daemon.spent(), daemon.switches()
            time.sleep(CALM)
            found = (
                f"{(daemon.spent() - spent) / CALM:.1%}, {(daemon.switches() - switches) / CALM:.0f} switches a second"
            )
            say("processor meanwhile", found, "-")


def throughput(directory: Path) -> None:
    """Measure how much accepting slows down when there are many definitions: taking turns, the best of five."""
    loads: dict[int, list[Load]] = {10: [], MANY: []}
    for count in loads:
        write_definitions(directory / f"throughput-{count}", count, "x")
    for _, count in itertools.product(range(5), loads):
        with serving(directory, directory / f"throughput-{count}", core=0) as daemon:
            url = f"http://127.0.0.1:{daemon.port}/hooks/h1"
            offer(url, daemon.process.pid, push(1024), seconds=1, directory=directory)  # it warms up
            loads[count].append(offer(url, daemon.process.pid, push(1024), seconds=2, directory=directory))
    few, many = (max(load.rate for load in loads[count]) for count in loads)
    by_cpu = min(load.cpu for load in loads[10]) / min(load.cpu for load in loads[MANY])
    found = f"{many / few:.2f}, by CPU {by_cpu:.2f} ({few:.0f}/s with 10)"
    say("accepts with 10,000 definitions / with 10", found, ">= 0.95")


def log(directory: Path, gigabytes: float) -> None:
    """Measure questions to a long log that is not in memory."""
    size = int(gigabytes * 1e9)
    if shutil.disk_usage(directory).free < 2 * size + 10**9:
        raise SystemExit(f"{directory} has not enough room for a log of {gigabytes:g} GB")
    log_ = directory / "log"
    events = write_log(log_, size)
    shows = [_ask(log_, "show", event) for event in events]
    say(f"`hooksd show EVENT`, {gigabytes:g} GB, cold cache", _both(shows), "150 ms")
    lists = [_ask(log_, "deliveries", "--webhook", f"h{number}", "-n", "100") for number in range(10)]
    say("`hooksd deliveries --webhook X -n 100`, the same", _both(lists), "300 ms")
    absent = ("deliveries", "--webhook", "nobody", "-n", "100")
    say("the same for a name that nothing has, without notes", _both([_ask(log_, *absent)]), "-")
    # As the daemon does whenever it has closed a segment.
    began = time.process_time()
    write_notes(log_, current=sys.maxsize, is_over=lambda: False, rest=0.0)
    say("noting which names are in the log", f"{time.process_time() - began:.1f} s of CPU", "-")
    say("the same name, with notes", _both([_ask(log_, *absent) for _ in range(5)]), "-")
    rare = ("deliveries", "--webhook", RARE, "-n", "100")
    say("a webhook that received one event long ago", _both([_ask(log_, *rare) for _ in range(5)]), "300 ms")


def _ask(log_directory: Path, *arguments: str) -> tuple[float, float]:
    """Run a command whose log is on the disk alone."""
    for path in filter(Path.is_file, log_directory.iterdir()):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return _command(*arguments, "--log-dir", str(log_directory))


def _command(*arguments: str) -> tuple[float, float]:
    """Return the milliseconds that a command takes, and those of them on a processor."""
    began, spent = time.perf_counter(), _spent()
    command = [sys.executable, "-m", "hooksd", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000, (_spent() - spent) * 1000


def _spent() -> float:
    """Return the processor time of all commands so far in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _both(taken: list[tuple[float, float]]) -> str:
    return (
        f"{statistics.median(ms for ms, _ in taken):.0f} ms ({statistics.median(cpu for _, cpu in taken):.0f} of CPU)"
    )


def start(_: Path) -> None:
    """Measure the smallest command."""
    say("`hooksd --version`", _both([_command("--version") for _ in range(20)]), "100 ms")


def say(what: str, found: str, wanted: str) -> None:
    """Print one row of the table."""
    sys.stdout.write(f"| {what} | {found} | {wanted} |\n")
    sys.stdout.flush()


def main() -> None:
    """Measure what is asked for, one thing after the other."""
    parser = argparse.ArgumentParser(description="What grows with definitions and the log, and what must not.")
    measures: dict[str, Callable[[Path], None]] = {
        "start": start,
        "memory": memory,
        "loading": loading,
        "throughput": throughput,
        "log": lambda directory: log(directory, options.gigabytes),
    }
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(measures)}; default: all.")
    parser.add_argument("--directory", help="Where files are written.")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="Size of the log. Default: 2.")
    options = parser.parse_args()
    say("figure", "found", "wanted")
    say("---", "---", "---")
    for name in options.what or measures:
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            measures[name](Path(directory))


if __name__ == "__main__":
    main()
