"""Which content of the directory this is: a digest of its files, and the Git commit they were checked out from.

Called by `daemon.reload` and the command line. Git is asked, never needed: without it, or outside of a checkout, the
digest alone names the revision.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from hooksd.config.snapshot import Revision
from hooksd.config.tree import is_definition

GIT_TIMEOUT = 2.0
"""Seconds that one question to Git may take; then the commit counts as unknown."""

_SYMLINK = b"120000"
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
_OPTIONS = ("-c", "safe.directory=*")
"""The checkout usually belongs to another user than the daemon. The two commands used here start no program that the
repository's configuration names."""


def revision_of(root: Path, files: Mapping[str, bytes], digest: str | None = None) -> Revision:
    """Return the revision of the files under a directory. It blocks for the time that Git takes: call it in a thread.

    Args:
        root: The directory of definitions.
        files: Their bytes by path relative to `root`, as they were read.
        digest: Their `tree_digest`, if it is known.
    """
    tree = digest or tree_digest(files)
    commit = _commit(root)
    committed = None if commit is None else _committed(root, commit)
    if committed is None:
        return Revision(tree=tree)
    return Revision(tree=tree, commit=commit, dirty=_differs(files, committed))


def tree_digest(files: Mapping[str, bytes]) -> str:
    """Return `sha256:<hex>` over names and bytes, both with their lengths so that none can pass for the other."""
    parts: list[bytes] = []
    for name in sorted(files):
        encoded, data = name.encode("utf-8", "surrogatepass"), files[name]
        parts += (len(encoded).to_bytes(8, "big"), encoded, len(data).to_bytes(8, "big"), data)
    return f"sha256:{hashlib.sha256(b''.join(parts)).hexdigest()}"


def _commit(root: Path) -> str | None:
    answer = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return answer.decode().strip() or None if answer else None


def _committed(root: Path, commit: str) -> dict[str, str] | None:
    """Return the object names of the definition files in a commit, "" for symbolic links; None: Git does not say."""
    answer = _git(root, "ls-tree", "-r", "-z", commit)
    if answer is None:
        return None
    found: dict[str, str] = {}
    for entry in answer.split(b"\0"):
        meta, _, name = entry.partition(b"\t")
        path = name.decode("utf-8", "surrogateescape")
        if is_definition(path):
            mode, _, item = meta.split(b" ")
            found[path] = "" if mode == _SYMLINK else item.decode()
    return found


def _differs(files: Mapping[str, bytes], committed: Mapping[str, str]) -> bool:
    """Compare the bytes that were read, not what lies on the disk by now. Links are compared by presence."""
    if files.keys() != committed.keys():
        return True
    return any(item and _object_name(files[path], len(item)) != item for path, item in committed.items())


def _object_name(data: bytes, length: int) -> str:
    """Return the name that Git gives to the bytes of a file: SHA-1 or, with 64 digits, SHA-256."""
    content = b"blob %d\0" % len(data) + data
    if length == 64:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _git(root: Path, *arguments: str) -> bytes | None:
    """Ask Git about the checkout around a directory; None when there is no answer, whatever the reason."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(
            [git, *_OPTIONS, *arguments],
            cwd=root,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
