"""Effects: what steps ask of the world, with every value rendered, and what came of it.

The engine makes effects and folds outcomes; the adapters that carry them out (`engine.process`, `delivery`) know
nothing of workflows. `Performer` in `engine.ports` is the seam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hooksd.model.base import Json
from hooksd.model.egress import Egress
from hooksd.model.ids import EventId, RunId
from hooksd.model.received import Files
from hooksd.model.retry import RetryRule
from hooksd.model.value import value


@value
class StartProcess:
    """Run a program to its end."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """Added to the clean environment; HOOKSD_* names included."""
    stdin: bytes
    cwd: str
    timeout: float
    """Seconds from its start; then the whole process group is ended."""
    event: bytes | None = None
    """What $HOOKSD_EVENT_FILE holds when a step's own `stdin` replaced the event; None: `stdin`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRequest:
    """Make one HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float
    """Seconds, reading the answer included."""
    egress: Egress | None = None
    """Where it may go beyond the rules for all, and where not."""
    is_literal: bool = False
    """The host is written in the definition: it may be private then."""


@value
class Deliver:
    """Deliver one payload to registered endpoints, each by its own schedule; ends when every delivery has ended."""

    endpoints: tuple[str, ...]
    event: EventId
    run: RunId
    step: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    media: str
    body: bytes
    retry: RetryRule | None
    """Replaces the endpoints' own rule."""
    subject: str | None = None
    """What the event is about: `ordered` endpoints get those of one subject one after the other."""
    is_call: bool = False
    """Ask one endpoint at once, whatever is held against it: any answer is an output, and so is that there was none."""
    files: Files = field(default_factory=dict)
    """What the event brought besides its body: endpoints that take forms with files get it."""
    by: str | None = None
    """Who asks for it over the API, where no run does: then every request is a delivery of its own."""
    scope: Callable[[], Mapping[str, Json]] | None = field(default=None, compare=False, repr=False)
    """Returns what headers of an endpoint may read of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """Hand one message to the mail server, for all its recipients or for none."""

    id: str
    """Of the message, the same for every attempt: `Message-ID` without its angle brackets."""
    sender: str | None
    """A mailbox: `a@example.com` or `Name <a@example.com>`; None: that of the settings."""
    to: tuple[str, ...]
    """Addresses that have been checked, like all below."""
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    reply_to: str | None
    subject: str
    """One line."""
    text: str
    timeout: float
    """Seconds from the connection to the server's last word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """One file to be put on the disk."""

    path: str
    """Where; a relative one begins at a directory of the daemon's."""
    digest: str | None = None
    """Of the blob that holds its bytes; None: `data` does."""
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveFiles:
    """Put files on the disk, each entirely or not at all."""

    files: tuple[SavedFile, ...]
    bases: tuple[str, ...]
    """For each the directory that the role allows: below it no link is followed."""
    on_exists: Literal["fail", "replace", "keep", "rename"]
    """What happens where another file has the name."""
    is_one: bool
    """One file was meant, so the output is one mapping and no list."""
    id: str
    """Of the step of the run: the same for every attempt."""


Effect = StartProcess | MakeRequest | Deliver | SendMail | SaveFiles


@value
class Performed:
    """What came of an effect. Failing is an outcome, not an exception."""

    ok: bool
    code: int | None = None
    """The exit status or the HTTP status."""
    output: Json = None
    """`run`: standard output as text; `http`: the parsed JSON answer, or its text; `send`: one mapping per endpoint."""
    error: str | None = None
    """For people, in one line."""
    kind: Literal["", "timeout", "not_found", "signal", "connect", "http", "exhausted", "unknown"] = ""
    """Why it failed, for programs. `unknown`: nobody knows whether it was done, so it is not tried again."""
    detail: Mapping[str, Json] = field(default_factory=dict)
    patience: float = 0.0
    """`http`: for how many seconds the receiver wants to be left alone."""
