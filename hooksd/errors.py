"""What stops the work, as one family.

    HooksdError
    |-- UsageError              the command line asks for something that cannot be meant      exit 64
    |-- Unreachable             the daemon does not answer on its admin socket                exit 69
    |-- DefinitionsRejected     a set of definitions that has errors                          exit 78
    |-- SettingsRejected        hooksd.toml, HOOKSD_* or a flag is wrong                      exit 78
    `-- JournalError            the log cannot take records now                               HTTP 503
        |-- JournalFull         the disk is full or the queue is: it recovers by itself
        `-- JournalBroken       a write or sync failed: stop accepting, exit, recover at start

Expected outcomes (a refused request, a failed step, a bad definition) are values, not exceptions. These are
caught in three places only: the command line's main, the HTTP problem handler and the step performer.
"""

from __future__ import annotations


class HooksdError(Exception):
    """The root. `exit_status` is what the command line ends with (sysexits.h)."""

    exit_status = 1


class UsageError(HooksdError):
    """The command line asks for something that cannot be meant."""

    exit_status = 64


class Unreachable(HooksdError):
    """The daemon does not answer on its admin socket."""

    exit_status = 69


class DefinitionsRejected(HooksdError):
    """The definitions have errors; the message is their rendered text."""

    exit_status = 78


class SettingsRejected(HooksdError):
    """A setting is unknown, unreadable or out of range."""

    exit_status = 78


class JournalError(HooksdError):
    """The log cannot take records now; callers answer 503."""

    exit_status = 74


class JournalFull(JournalError):
    """No room on the disk or in the queue. Nothing was written; the log recovers when there is room."""


class JournalBroken(JournalError):
    """A write or a sync failed for good. The process must stop accepting, exit and recover from disk."""
