"""Settings of the daemon and the command line, checked. `docs/settings.md` explains every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hooksd.config.kinds import EXPECTED, found
from hooksd.config.sources import OTHER_VARIABLES, PREFIX, process_environment, read_sources
from hooksd.errors import SettingsRejected
from hooksd.model.base import Name
from hooksd.model.mailbox import MAILBOX_PATTERN
from hooksd.model.network import networks
from hooksd.model.secret import SecretRef
from hooksd.model.units import Duration, Size

__all__ = [
    "OTHER_VARIABLES",
    "Address",
    "Settings",
    "TcpAddress",
    "UnixAddress",
    "load_settings",
    "parse_address",
    "process_environment",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """A host and a port to listen on."""

    host: str
    """A name or an address, without brackets."""
    port: int
    """From 0 to 65535; 0 lets the system choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixAddress:
    """A Unix socket to listen on."""

    path: Path


Address = TcpAddress | UnixAddress


MAX_PORT = 65535
MAX_DIGITS = 9
"""Of a port that is worth being read as a number."""


def parse_address(text: str) -> Address:
    """Read `127.0.0.1:9000`, `[::1]:9000`, `:9000` (all addresses) or `unix:/run/hooksd/admin.sock`.

    Raises:
        ValueError: Anything else, with the forms that are allowed.
    """
    if text.startswith("unix:") and text != "unix:":
        return UnixAddress(path=Path(text.removeprefix("unix:")))
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or (":" in host and not bracketed):
        raise ValueError('expected "HOST:PORT", "[IPv6]:PORT" or "unix:PATH"')
    if len(port) > MAX_DIGITS or int(port) > MAX_PORT:
        raise ValueError(f"expected a port of at most {MAX_PORT}")
    return TcpAddress(host=host[1:-1] if bracketed else host or "0.0.0.0", port=int(port))  # noqa: S104 - `:9000` asks for it


def _pairs(value: object) -> object:
    """Let the environment write a mapping as `NAME=REFERENCE,NAME=REFERENCE`."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    return {name.strip(): reference.strip() for name, _, reference in pairs}


Keys = Annotated[Mapping[Name, SecretRef], BeforeValidator(_pairs)]


def _listed(value: object) -> object:
    """Let the environment write a list as `A,B`."""
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


Addresses = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Settings(BaseModel):
    """Every setting, checked. Building one reads nothing: `load_settings` reads the file and the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hooks_dir: Path = Path("hooks.d")
    """The directory of definitions."""
    log_dir: Path = Path(".hooksd/log")
    """Where the delivery log is written. Default: $LOGS_DIRECTORY of systemd, else `.hooksd/log`."""
    state_dir: Path = Path(".hooksd/state")
    """Where sockets and other state live. Default: $STATE_DIRECTORY of systemd, else `.hooksd/state`."""
    credentials_dir: Path | None = None
    """Where `credential:NAME` finds the file NAME. Default: $CREDENTIALS_DIRECTORY of systemd, else none."""
    listen: str = "127.0.0.1:9000"
    """Where webhooks are received: `HOST:PORT`, or `unix:PATH` behind a proxy on the same machine."""
    admin: str = ""
    """Where the command line and the API reach the daemon: `unix:PATH`, or `HOST:PORT` with `admin_token`.
    Default: `unix:STATE_DIR/admin.sock`."""
    admin_token: SecretRef | None = None
    """A reference to the bearer token that callers of a TCP `admin` address must present."""
    admin_keys: Keys = {}
    """More tokens for callers of a TCP `admin` address, each with the name that what they write carries: references
    by name, like `admin_keys.alice = "credential:alice"`; in the environment `alice=credential:alice,bob=...`."""
    trigger_keys: Keys = {}
    """Tokens for callers of a TCP `admin` address who may trigger the endpoints that name them in `callers`, and do
    nothing else. Written like `admin_keys`."""
    publish_keys: Keys = {}
    """Tokens for callers of a TCP `admin` address who may publish events, and do nothing else. Written like
    `admin_keys`."""
    admin_write: bool = False
    """Let the admin API write webhooks into `hooks_dir`. Off: files are changed by people and their commits only."""
    public_url: str | None = None
    """The URL under which callers reach `listen`, without a slash at the end: for links, and where it is signed."""
    smtp: str | None = None
    """The mail server that `mail` steps use: `HOST:PORT`. Default: none."""
    smtp_security: Literal["tls", "starttls", "none"] = "starttls"
    """`starttls`: encrypted before anything is said (usually port 587); `tls`: from the start (usually port 465);
    `none`: not at all, and then without a password, for a server on this machine."""
    smtp_username: str | None = None
    """The name to log in with, together with `smtp_password`. Default: no login."""
    smtp_password: SecretRef | None = None
    """A reference to the password."""
    smtp_from: Annotated[str, Field(pattern=MAILBOX_PATTERN)] | None = None
    """Who mail comes from unless a step says it: `hooks@example.com` or `Hooks <hooks@example.com>`."""
    trusted_proxies: Addresses = ()
    """Proxies that say where a request comes from: addresses, networks, and `unix` for whoever connects over a Unix
    socket. In the environment with commas between them."""
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The header in which they say it. The other one is not looked at."""
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """Connections at once on `listen`, and on `admin`; never more than half of the file descriptors there are."""
    max_connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Connections at once from one address of another machine. A proxy on another machine may need more."""
    max_headers: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Header fields of a request."""
    max_header_bytes: Annotated[Size, Field(ge=1024, le=2**20)] = 32 * 2**10
    """The size of all header fields of a request together."""
    max_buffered: Annotated[Size, Field(ge=2**16, le=2**40)] = 128 * 2**20
    """The size of all bodies together that have been received, in whole or in part, and are not answered yet."""
    header_timeout: Annotated[Duration, Field(ge=0.1, le=3600)] = 10.0
    """How long a caller may take to send the headers of a request."""
    body_timeout: Annotated[Duration, Field(ge=0.1, le=3600)] = 20.0
    """How long a caller may take to send a body, and a second more for every 16 KiB of it."""
    write_timeout: Annotated[Duration, Field(ge=0.1, le=3600)] = 20.0
    """How long a caller may leave an answer unread."""
    idle_timeout: Annotated[Duration, Field(ge=0.1, le=86400)] = 75.0
    """How long a connection is kept between requests: longer than a proxy does, so that it never meets a closed one."""
    durability: Literal["always", "none"] = "always"
    """`always`: a record is on disk before anyone is told; `none`: a power cut may lose the last moments."""
    allow_inline_secrets: bool = False
    """Let definitions hold secrets themselves. For trying things out, never for a repository."""
    segment_size: Annotated[Size, Field(ge=2**16, le=2**34)] = 64 * 2**20
    """The size at which a file of the delivery log is closed and the next one begun."""
    retention_age: Annotated[Duration, Field(ge=60)] | None = None
    """How long the delivery log is kept. Default: for ever."""
    retention_size: Annotated[Size, Field(ge=2**20)] | None = None
    """How large the delivery log may become before its oldest files are removed. Default: as large as the disk."""

    @field_validator("listen", "admin")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        if text:
            try:
                parse_address(text)
            except ValueError as error:
                raise PydanticCustomError("address", "{what}", {"what": str(error)}) from error
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            networks(text for text in texts if text != "unix")
        except ValueError as error:
            raise PydanticCustomError(
                "network", "{what}; write addresses and networks", {"what": str(error)}
            ) from error
        return texts

    @field_validator("public_url")
    @classmethod
    def _is_a_base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise PydanticCustomError("public_url", 'expected a URL like "https://hooks.example.com"')
        return url.rstrip("/")

    @model_validator(mode="after")
    def _admin_is_guarded(self) -> Self:
        if isinstance(self.admin_address, TcpAddress) and self.admin_token is None and not self.admin_keys:
            raise PydanticCustomError(
                "admin_token", "`admin` is reachable over TCP, so it needs `admin_token`, like credential:admin"
            )
        known = {"admin", *self.admin_keys}
        for setting, keys in (("trigger_keys", self.trigger_keys), ("publish_keys", self.publish_keys)):
            if taken := sorted(keys.keys() & known):
                said = f"`{setting}` has another key of the name {{name}}: choose another"
                raise PydanticCustomError("key_name", said, {"name": taken[0]})
            known |= keys.keys()
        return self

    @field_validator("smtp")
    @classmethod
    def _is_a_mail_server(cls, text: str | None) -> str | None:
        try:
            found = None if text is None else parse_address(text)
        except ValueError:
            found = UnixAddress(path=Path())
        if isinstance(found, UnixAddress) or (found is not None and found.port == 0):
            raise PydanticCustomError("smtp", 'expected "HOST:PORT", like "mail.example.com:587"')
        return text

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        if self.smtp is not None and self.smtp_from is None:
            raise PydanticCustomError("smtp_from", "`smtp` needs `smtp_from`: the address that mail comes from")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise PydanticCustomError("smtp_login", "`smtp_username` and `smtp_password` belong together")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise PydanticCustomError("smtp_login", "a password is never sent unencrypted: set `smtp_security`")
        return self

    @property
    def smtp_address(self) -> TcpAddress | None:
        """Where the mail server is."""
        address = None if self.smtp is None else parse_address(self.smtp)
        return address if isinstance(address, TcpAddress) else None

    @property
    def listen_address(self) -> Address:
        """Where webhooks are received."""
        return parse_address(self.listen)

    @property
    def admin_address(self) -> Address:
        """Where the daemon is administered."""
        return parse_address(self.admin) if self.admin else UnixAddress(path=self.state_dir / "admin.sock")


def load_settings(file: Path | None, flags: Mapping[str, str]) -> Settings:
    """Read all sources and return the settings.

    Paths in the file are relative to the file; all others to the current directory.

    Args:
        file: The file of settings; None for `hooksd.toml` in the current directory if there is one.
        flags: Values from the command line by the name of the setting; they win.

    Raises:
        SettingsRejected: A source is unreadable, or a setting is unknown or wrong. The message lists every problem.
    """
    sources = read_sources(file, flags)
    problems = list(sources.problems)
    try:
        settings = Settings(**{name: value for name, value in sources.values.items() if name in Settings.model_fields})
    except ValidationError as error:
        problems += [_explain(dict(problem), flags, sources.file) for problem in error.errors(include_url=False)]
        raise SettingsRejected("\n".join(problems)) from error
    if problems:
        raise SettingsRejected("\n".join(problems))
    return settings


def _explain(problem: dict[str, Any], flags: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Say where a wrong value comes from, and what is wrong with it."""
    # What concerns several settings begins with the name of the one that needs another.
    name = str(problem["loc"][0]) if problem["loc"] else problem["msg"].split("`")[1]
    variable = f"{PREFIX}{name.upper()}"
    if name in flags:
        where = f"--{name.replace('_', '-')}"
    elif variable in process_environment():
        where = variable
    else:
        where = f"`{name}` in the file of settings" if name in values else f"setting `{name}`"
    expected = EXPECTED.get(problem["type"]) or problem.get("ctx", {}).get("expected")
    if expected is None and problem["type"] == "greater_than_equal":
        return f"{where}: expected at least {problem['ctx']['ge']}, found {problem['input']}"
    if expected is None:
        return f"{where}: {problem['msg']}"
    return f"{where}: expected {expected.replace(chr(39), chr(34))}, found {found(problem['input'])}"
