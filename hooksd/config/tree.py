"""What lies in a directory of definitions: which files count, their identities, their bytes.

`look` does not read and is cheap enough to be called again and again; `config.watch` compares what it returns and
gathers what has changed. The command line takes what is there with `scan`. The rule of what counts as a definition
stands here alone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

SUFFIXES = (".toml", ".json")
"""What the name of a definition file ends with."""

LOOKALIKES = (*SUFFIXES, ".yaml", ".yml", ".json5", ".jsonc")
"""What the names of files end with, in any case, whose authors may believe that they are read."""

MAX_FILE = 4 * 2**20
"""The longest definition file in bytes. Nobody writes longer ones; a disk image renamed by mistake is not read."""

MAX_LINKS = 40
"""Symbolic links followed on the way to one file, as in Linux (path_resolution(7))."""

TRIES = 10
"""How often `scan` begins again when files change while it reads."""

NOT_NOW = (errno.EMFILE, errno.ENFILE)
"""Errors that say nothing of a directory: there is no descriptor to look at it with."""

NOT_READ = "left out, only names that end with .toml or .json are read"
"""Why a file that looks like definitions is none."""

TOO_LONG = f"it is longer than {MAX_FILE // 2**20} MiB"
"""Why a file is not read."""

NOWHERE = "it is a link to something that is not there"
"""Why a file cannot be read."""

Identity = tuple[int, int]
"""Device and inode."""

Fingerprint = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of inode in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one look at the directory found. Two equal scans mean: nothing has changed in between."""

    files: Mapping[str, Fingerprint] = field(default_factory=dict)
    """Definition files by path relative to the directory."""
    watched: Mapping[str, Identity] = field(default_factory=dict)
    """Every directory whose entries decide what the files are: those below the root, and those that hold a symbolic
    link on the way to the root or to a file."""
    problems: tuple[str, ...] = ()
    """What was left out, and why, for people."""
    unreadable: tuple[str, ...] = ()
    """What could not be looked at, and why: the set is not known."""
    exists: bool = True
    """The directory is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The bytes of a directory of definitions at one moment."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    """By path relative to the directory, `/` between its parts."""
    problems: tuple[str, ...] = ()
    """What was left out, and why, for people: `PATH: WHY`. The rest is whole."""
    unreadable: tuple[str, ...] = ()
    """What should be here and could not be read: `PATH: WHY`. A set with holes must not replace a running one."""
    exists: bool = True
    """The directory is there."""


def is_definition(path: str) -> bool:
    """Tell whether a path relative to the directory names a definition file: no part is hidden or a backup."""
    return path.endswith(SUFFIXES) and not any(_is_ignored(part) for part in path.split("/"))


def is_lookalike(path: str) -> bool:
    """Tell whether a path, neither hidden nor a backup, looks like that of a definition file and is not."""
    return path.lower().endswith(LOOKALIKES) and not path.endswith(SUFFIXES)


def look(root: Path) -> Scan:
    """Look at a directory of definitions and everything below it. It blocks: call it in a thread.

    Raises:
        OSError: One of `NOT_NOW`.
    """
    walk = _Walk(str(root))
    exists = os.path.isdir(walk.root)  # noqa: PTH112 - paths stay text: this runs again and again
    walk.link(walk.root)
    if exists:
        walk.directories()
    return Scan(
        files=walk.files,
        watched=walk.watched,
        problems=tuple(walk.problems),
        unreadable=tuple(walk.unreadable),
        exists=exists,
    )


def glance(root: Path, seen: Scan, paths: Collection[str]) -> Scan | None:
    """Return what a look would find if nothing has changed since a scan but some paths; None when only a look can tell.

    That the directory itself has become another one is seen as well: nobody tells of a move of those above it.

    Args:
        root: The directory of definitions.
        seen: The scan.
        paths: Absolute paths without symbolic links.
    """
    directory = os.path.realpath(root)
    if seen.watched.get(directory) != _identity_if_any(directory):
        return None
    if not paths:
        return seen
    base = directory + "/"
    files = dict(seen.files)
    for path in paths:
        name = path.removeprefix(base)
        try:
            status = os.lstat(path)
        except OSError:
            return None
        # Links and directories decide what other paths mean, and a lookalike is told of.
        if name == path or not stat.S_ISREG(status.st_mode) or is_lookalike(name):
            return None
        if is_definition(name):
            if name not in files or status.st_size > MAX_FILE:
                return None
            files[name] = fingerprint(status)
    return replace(seen, files=files)


def scan(root: Path) -> Tree:
    """Return what a directory holds now, without waiting until it is at rest: for the command line."""
    for _ in range(TRIES):
        try:
            tree = gather(root, look(root), {})
        except OSError as error:
            return Tree(unreadable=(f".: {why(error)}",))
        if tree is not None:
            return tree
    return restless(exists=True)


def gather(root: Path, seen: Scan, known: Mapping[str, tuple[Fingerprint, bytes]]) -> Tree | None:
    """Read the files of a scan, those excepted whose bytes are known; None when one is not what the scan saw.

    Raises:
        OSError: One of `NOT_NOW`.
    """
    files: dict[str, bytes] = {}
    unreadable = list(seen.unreadable)
    for path, mark in seen.files.items():
        if path in known and known[path][0] == mark:
            files[path] = known[path][1]
            continue
        try:
            data = read(f"{root}/{path}", mark)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in NOT_NOW:
                raise
            unreadable.append(f"{path}: {why(error)}")
            continue
        if data is None:
            return None
        files[path] = data
    return Tree(files=files, problems=seen.problems, unreadable=tuple(unreadable), exists=seen.exists)


def restless(*, exists: bool) -> Tree:
    """Return what stands for content that does not hold still long enough to be read."""
    return Tree(unreadable=(".: the files change faster than they can be read",), exists=exists)


def read(path: str, expected: Fingerprint) -> bytes | None:
    """Return the bytes of a file, or None when it is not the file any more that a scan saw.

    Raises:
        OSError: It cannot be read.
    """
    # Not blocking: the name may belong to a pipe by now.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if fingerprint(os.fstat(descriptor)) != expected:
            return None
        data = os.read(descriptor, expected[2] + 1)
        return data if len(data) == expected[2] and fingerprint(os.fstat(descriptor)) == expected else None
    finally:
        os.close(descriptor)


def fingerprint(status: os.stat_result) -> Fingerprint:
    """Return what changes whenever the content of a file may have changed."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_ignored(name: str) -> bool:
    """Tell whether a name is hidden (`.git`, `..data`, `.x.swp`) or an editor's backup (`x.toml~`)."""
    return name.startswith(".") or name.endswith("~")


class _Walk:
    """One scan under way."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)  # noqa: PTH100 - symbolic links must stay
        self.files: dict[str, Fingerprint] = {}
        self.watched: dict[str, Identity] = {}
        self.problems: list[str] = []
        self.unreadable: list[str] = []

    def directories(self) -> None:
        """Walk the root and everything below it, each directory once however many links lead to it."""
        todo = [(self.root, "")]
        seen: set[Identity] = set()
        while todo:
            path, prefix = todo.pop()
            try:
                identity = _identity(path)
                if identity in seen:
                    self.problems.append(
                        f"{prefix.rstrip('/')}: left out, it leads to a directory that is read already"
                    )
                    continue
                seen.add(identity)
                self.watched[os.path.realpath(path)] = identity
                with os.scandir(path) as entries:
                    listing = sorted(entries, key=lambda entry: entry.name, reverse=True)
            except FileNotFoundError:
                continue  # it vanished since it was listed
            except OSError as error:
                if error.errno in NOT_NOW:
                    raise
                self.unreadable.append(f"{prefix.rstrip('/') or '.'}: {why(error)}")
                continue
            todo += [(entry.path, f"{prefix}{entry.name}/") for entry in listing if self._entry(entry, prefix)]

    def _entry(self, entry: os.DirEntry[str], prefix: str) -> bool:
        """Take note of one entry; tell whether it is a directory to walk."""
        name = entry.name
        if name[0] == "." or name[-1] == "~":
            return False
        path = prefix + name
        try:
            is_directory = entry.is_dir()
            if not is_directory and not name.endswith(SUFFIXES):
                if is_lookalike(name) and path.isprintable():
                    self.problems.append(f"{path}: {NOT_READ}")
                return False
            if not path.isprintable():
                # Undecodable bytes arrive as lone surrogates, which are not printable either.
                self.problems.append(f"{ascii(path)[1:-1]}: left out, its name is not printable UTF-8")
                return False
            if not is_directory:
                self._file(entry, path)
        except OSError as error:
            self._failed(entry, path, error)
            return False
        return is_directory

    def _file(self, entry: os.DirEntry[str], path: str) -> None:
        status = entry.stat()
        if not stat.S_ISREG(status.st_mode):
            self.problems.append(f"{path}: left out, it is not a regular file")
            return
        if status.st_size > MAX_FILE:
            self.unreadable.append(f"{path}: {TOO_LONG}")
            return
        self.files[path] = fingerprint(status)
        if entry.is_symlink():
            self.link(entry.path)

    def _failed(self, entry: os.DirEntry[str], path: str, error: OSError) -> None:
        if not entry.is_symlink():
            if not isinstance(error, FileNotFoundError):  # else it vanished since it was listed
                self.unreadable.append(f"{path}: {why(error)}")
            return
        self.link(entry.path)  # what it leads to may come back
        if error.errno == errno.ELOOP and not path.endswith(SUFFIXES):
            self.problems.append(f"{path}: left out, it is a link that leads to itself")
        elif isinstance(error, FileNotFoundError):
            self.unreadable.append(f"{path}: {NOWHERE}")
        else:
            self.unreadable.append(f"{path}: {why(error)}")

    def link(self, path: str) -> None:
        """Watch the directories whose entries decide what a path leads to."""
        for directory in _on_the_way(path):
            existing = directory
            while existing not in self.watched:
                try:
                    self.watched[existing] = _identity(existing)
                except OSError:
                    existing = os.path.dirname(existing)  # noqa: PTH120 - as above


def _identity(path: str) -> Identity:
    status = os.stat(path)  # noqa: PTH116 - as above
    return (status.st_dev, status.st_ino)


def _identity_if_any(path: str) -> Identity | None:
    try:
        return _identity(path)
    except OSError:
        return None


def _on_the_way(path: str) -> list[str]:
    """Return the directories that hold a symbolic link on the way to a path, and the one that holds its end."""
    found: list[str] = []
    at = "/"
    parts = path.strip("/").split("/")
    while parts and len(found) < MAX_LINKS:
        name = parts.pop(0)
        candidate = os.path.normpath(os.path.join(at, name))  # noqa: PTH118 - as above
        try:
            target = os.readlink(candidate)  # noqa: PTH115 - as above
        except OSError:
            at = candidate
            continue
        found.append(at)
        parts = target.strip("/").split("/") + parts
        if target.startswith("/"):
            at = "/"
    return [*found, os.path.dirname(at)]  # noqa: PTH120 - as above


def why(error: OSError) -> str:
    """Say what an error of the system means, without the path: the caller puts it in front."""
    return (error.strerror or type(error).__name__).lower()
