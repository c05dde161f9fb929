"""The operational log: one line per happening on standard error, for people on a terminal and for machines elsewhere.

The daemon calls `configure` once, at its start. Everything else logs through `telemetry.observer`; libraries log
through `logging`, whose lines get the same shape.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

Level = Literal["debug", "info", "warning", "error"]

LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))
"""The numbers of syslog(3), each from a level on."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""C0 and C1 control characters, line feed and tab excepted, and the marks that reorder text or end a line
(Unicode TR 36)."""
_LINE_BREAK = re.compile(r"[\n\r]")

_LIBRARIES = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.WARNING,
    "uvicorn.error": logging.ERROR,
}
"""From which level on libraries are heard. Below it they tell of every request; uvicorn warns of every malformed
one, so that any stranger could fill the log."""

Line = MutableMapping[str, Any]


def neutralise(text: str) -> str:
    r"""Return text in which control characters are written as `\x1b`, so that data cannot steer a terminal."""
    return _CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _neutral(value: Any) -> Any:
    match value:
        case str():
            return neutralise(value)
        case bool() | int() | float() | None:
            return value
        case list() | tuple():
            return [_neutral(item) for item in value]
        case dict():
            return {neutralise(str(key)): _neutral(item) for key, item in value.items()}
        case _:
            return neutralise(repr(value))


def _neutralised(_logger: object, _method: str, line: Line) -> Line:
    """Make every value of a line harmless; a secret becomes its repr, which hides it."""
    for key, value in line.items():
        if not key.startswith("_") and key != "exc_info":
            line[key] = _neutral(value)
    return line


def _for_people(_logger: object, _method: str, line: Line) -> Line:
    """Keep a line on one line; diagnostics and tracebacks stand below it."""
    for key, value in line.items():
        if isinstance(value, str) and key not in {"exception", "diagnostics"}:
            line[key] = _LINE_BREAK.sub(" ", value)
    if "diagnostics" in line:
        line["stack"] = line.pop("diagnostics")
    return line


def _for_machines(_logger: object, _method: str, line: Line) -> Line:
    """Put first what every line has."""
    return {"at": line.pop("timestamp"), "level": line.pop("level"), "event": line.pop("event"), **line}


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _neutralised,
    ]


def _renderer(*, json: bool, colors: bool) -> list[structlog.typing.Processor]:
    if json:
        return [_for_machines, structlog.processors.JSONRenderer(ensure_ascii=False)]
    plain = structlog.dev.plain_traceback
    return [_for_people, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain, sort_keys=False)]


class _Prioritised(logging.Formatter):
    """Puts the priority before each line that another formatter writes, as the journal reads it (sd-daemon(3))."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Write the lines of a record, each with its priority: every line is an entry of its own."""
        priority = next(number for least, number in _PRIORITIES if record.levelno >= least)
        return "\n".join(f"<{priority}>{line}" for line in self._formatter.format(record).splitlines())


def _is_journal(stream: TextIO, journal: str) -> bool:
    """Tell whether a stream leads to the journal: `journal` says so of one device and inode (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return journal == f"{status.st_dev}:{status.st_ino}"


def configure(
    *,
    json: bool | None = None,
    level: Level = "info",
    stream: TextIO | None = None,
    color: bool = True,
    journal: str = "",
) -> None:
    """Send every log line to a stream, as JSON or for people.

    Args:
        json: Write JSON lines. Default: unless the stream is a terminal.
        level: The least severe lines that are written. At `debug` a busy daemon writes several lines per request.
        stream: Where to. Default: standard error.
        color: Use colours where the stream is a terminal.
        journal: What systemd says in `JOURNAL_STREAM`. Where it means the stream, lines carry their priority, so that
            `journalctl -p err` finds errors.
    """
    out = stream or sys.stderr
    is_terminal = out.isatty()
    final = _renderer(json=not is_terminal if json is None else json, colors=is_terminal and color)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(out)
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(), processors=[strip, *final])
    handler.setFormatter(_Prioritised(formatter) if _is_journal(out, journal) else formatter)
    logging.basicConfig(handlers=[handler], level=LEVELS[level], force=True)
    for name, least in _LIBRARIES.items():
        logging.getLogger(name).setLevel(max(LEVELS[level], least))


def get_logger(name: str = "hooksd") -> structlog.stdlib.BoundLogger:
    """Return a logger for `Observer`. It writes through `logging`, so `configure` decides where to and how."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    ).bind()
    return logger
