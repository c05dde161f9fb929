"""What is wrong in a file, where, and what to do: values, their codes, and how they are written for people and tools.

The loader makes them; the command line, the operational log, the API and systemd's status show the same objects. Codes
are stable: a meaning never moves to another code. `docs/diagnostics.md` explains each one.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hooksd.model.plain import Json

Severity = Literal["error", "warning"]

CODES: Mapping[str, str] = MappingProxyType({
    "H001": "The file cannot be read as text",
    "H002": "TOML syntax error",
    "H003": "JSON syntax error",
    "H004": "Duplicate key in JSON",
    "H005": "Value that JSON data cannot hold",
    "H006": "The file is not a table",
    "H007": "Too large or too deeply nested",
    "H008": "The file is not read",
    "H010": "Missing `version`",
    "H011": "Unsupported `version`",
    "H012": "Unknown key",
    "H013": "Key in the wrong table",
    "H014": "Key of a later version of hooksd",
    "H015": "Missing key",
    "H016": "Value of the wrong type",
    "H017": "Value that is not allowed",
    "H018": "Duration or size without a unit",
    "H019": "A step needs exactly one verb",
    "H020": "Unknown way to authenticate",
    "H021": "Unknown preset",
    "H022": "Authentication that cannot work",
    "H023": "Name that is not allowed",
    "H024": "File name that cannot name a workflow",
    "H025": "Signature that leaves the query open",
    "H026": "Signature over a URL that is not known",
    "H027": "Extra that is not installed",
    "H028": "Token that is not for us alone",
    "H029": "Freshness of a time that is not signed",
    "H030": "Name defined twice",
    "H031": "Path used twice",
    "H032": "Step id used twice",
    "H033": "Role outside roles.toml",
    "H040": "Unknown endpoint",
    "H041": "Unknown role",
    "H042": "Unknown webhook",
    "H043": "Unknown step",
    "H044": "Step that has not run yet",
    "H045": "Unknown name in an expression",
    "H046": "Unknown variable",
    "H047": "Event that nothing sends",
    "H048": "Unknown schema",
    "H049": "Schema that cannot be used",
    "H050": "Expression that cannot be understood",
    "H051": "Template in a constant",
    "H052": "Data that becomes code",
    "H060": "Not permitted",
    "H061": "Caller that is trusted too little",
    "H062": "Unknown caller",
    "H070": "Secret not found",
    "H071": "Literal secret",
    "H072": "Secret that cannot be used",
    "H080": "Destination that is not allowed",
    "H081": "No mail server",
    "H082": "Header that cannot be sent",
})  # fmt: skip
"""Every code and its title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Another place that has to do with a problem, like the first of two definitions."""

    file: str
    line: int
    column: int
    message: str
    excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem at one place. Values of secrets are never in it."""

    code: str
    """A key of `CODES`."""
    message: str
    """What is wrong, on one line, without a full stop."""
    file: str
    """Relative to the directory of definitions."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    end_column: int
    """Just behind the last character that is meant, on the same line."""
    excerpt: str | None
    """The line of source, literal secrets replaced by asterisks; None when it is too long to be shown."""
    hint: str | None = None
    """What to do."""
    related: tuple[Place, ...] = ()
    severity: Severity = "error"


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics by file, place and code, each once: the same files always give the same report."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.file, d.line, d.column, d.code, d.message)))


def did_you_mean(word: str, known: Iterable[str], quote: str = "`", *, likeness: float = 0.6) -> str | None:
    """Return a hint that names the known word most like `word`, or None when none is like it.

    Args:
        word: What was written.
        known: What could have been meant.
        quote: What the known word is put in.
        likeness: How much alike they must be, from 0 to 1. The default allows two slips in a word of six letters.
    """
    words = sorted(set(known))
    lowered = {known_word.lower(): known_word for known_word in words}
    close = difflib.get_close_matches(word.lower()[:64], list(lowered), n=1, cutoff=likeness)
    return f"did you mean {quote}{lowered[close[0]]}{quote}?" if close else None


def render_text(diagnostics: Iterable[Diagnostic], *, color: bool) -> str:
    """Write diagnostics for people, with the source and a caret below what is meant.

    Characters that could steer a terminal are replaced. Returns "" for no diagnostics.

    Args:
        diagnostics: In the order in which they shall appear.
        color: Use ANSI colours.
    """
    return "\n".join(_paint(diagnostic, color=color) for diagnostic in diagnostics)


def as_json(diagnostic: Diagnostic) -> dict[str, Json]:
    """Return a diagnostic as JSON data, with the title of its code."""
    return {
        "code": diagnostic.code,
        "title": CODES[diagnostic.code],
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "end_column": diagnostic.end_column,
        "excerpt": diagnostic.excerpt,
        "hint": diagnostic.hint,
        "related": [
            {
                "file": place.file,
                "line": place.line,
                "column": place.column,
                "message": place.message,
                "excerpt": place.excerpt,
            }
            for place in diagnostic.related
        ],
    }


def from_json(tree: Mapping[str, Json]) -> Diagnostic:
    """Return the diagnostic that `as_json` wrote, as the log and the HTTP API hold it."""
    related = tuple(Place(**place) for place in tree["related"])
    return Diagnostic(**{key: value for key, value in tree.items() if key not in ("title", "related")}, related=related)


def render_github(diagnostics: Iterable[Diagnostic], *, prefix: str = "") -> str:
    """Write diagnostics as workflow commands that GitHub shows beside the lines of a pull request.

    Args:
        diagnostics: In the order in which they shall appear.
        prefix: What to put before file names, like `hooks.d/`: GitHub wants them relative to the repository.

    Source: GitHub documentation, "Workflow commands for GitHub Actions".
    """
    return "".join(f"{_github(diagnostic, prefix)}\n" for diagnostic in diagnostics)


def render_sarif(diagnostics: Iterable[Diagnostic], *, version: str, prefix: str = "") -> str:
    """Write diagnostics as one SARIF log, for code scanning.

    Args:
        diagnostics: In the order in which they shall appear.
        version: The version of hooksd.
        prefix: What to put before file names.

    Source: SARIF 2.1.0, OASIS Standard.
    """
    found = list(diagnostics)
    rules = [{"id": code, "shortDescription": {"text": CODES[code]}} for code in sorted({d.code for d in found})]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "hooksd", "version": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif(diagnostic, prefix) for diagnostic in found],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


_RED, _YELLOW, _BLUE, _BOLD, _CYAN, _PLAIN = "31;1", "33;1", "34;1", "1", "36", "0"


_CONTEXT = 100
"""How many characters of a long line are shown on each side of what is meant."""


def _paint(diagnostic: Diagnostic, *, color: bool) -> str:
    def ink(style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[{_PLAIN}m" if color else text

    tone = _RED if diagnostic.severity == "error" else _YELLOW
    head = ink(tone, f"{diagnostic.severity}[{diagnostic.code}]") + ink(_BOLD, f": {_safe(diagnostic.message)}")
    margin = " " * len(str(max([diagnostic.line, *(place.line for place in diagnostic.related)])))
    width = diagnostic.end_column - diagnostic.column
    lines = [head, *_source(diagnostic, margin, width, ink(tone, "^" * max(1, width)), "")]
    for place in diagnostic.related:
        lines += _source(place, margin, 1, ink(_BLUE, "-"), f" {_safe(place.message)}")
    if diagnostic.hint:
        lines.append(f"{margin} = {ink(_CYAN, 'help')}: {_safe(diagnostic.hint)}")
    return "\n".join(lines) + "\n"


def _source(place: Diagnostic | Place, margin: str, width: int, mark: str, label: str) -> list[str]:
    where = f"{margin}--> {_safe(place.file)}:{place.line}:{place.column}"
    if place.excerpt is None:
        return [f"{where}{label}"]
    # Of a long line, like one of minified JSON, only what is around the caret helps.
    first = max(0, place.column - 1 - _CONTEXT) if len(place.excerpt) > 2 * _CONTEXT else 0
    shown = place.excerpt[first : place.column - 1 + _CONTEXT]
    column = place.column - 1 - first
    before, meant = shown[:column], shown[column:][:width]
    mark = mark if width <= len(meant) or not meant else mark.replace("^" * width, "^" * len(meant))
    # A caret line that copies tabs and counts wide characters twice stays below what it points at.
    indent = "".join("\t" if char == "\t" else " " * _cells(char) for char in before)
    extra = sum(_cells(char) for char in meant) - len(meant)
    mark = mark.replace("^", "^" * (extra + 1), 1) if extra > 0 else mark
    number = f"{place.line:>{len(margin)}}"
    return [where, f"{margin} |", f"{number} | {_safe(shown)}", f"{margin} | {indent}{mark}{label}"]


def _cells(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _safe(text: str) -> str:
    """Replace control characters and the invisible ones that reorder or hide text."""
    return "".join("�" if unicodedata.category(char) in ("Cc", "Cf") and char != "\t" else char for char in text)


def _github(diagnostic: Diagnostic, prefix: str) -> str:
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    fields = {
        "file": prefix + diagnostic.file,
        "line": diagnostic.line,
        "col": diagnostic.column,
        "endColumn": diagnostic.end_column,
        "title": f"{diagnostic.code} {CODES[diagnostic.code]}",
    }
    listed = ",".join(f"{name}={_escape(str(value), property_value=True)}" for name, value in fields.items())
    return f"::{diagnostic.severity} {listed}::{_escape(text)}"


def _escape(text: str, *, property_value: bool = False) -> str:
    special = r"[%\r\n:,]" if property_value else r"[%\r\n]"
    return re.sub(special, lambda found: f"%{ord(found[0]):02X}", text)


def _sarif(diagnostic: Diagnostic, prefix: str) -> dict[str, Json]:
    text = diagnostic.message + (f" ({diagnostic.hint})" if diagnostic.hint else "")
    places = [_location(prefix + p.file, p.line, p.column, p.column + 1, p.message) for p in diagnostic.related]
    return {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {"text": text},
        "locations": [
            _location(prefix + diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.end_column, None)
        ],
        **({"relatedLocations": places} if places else {}),
    }


def _location(file: str, line: int, column: int, end_column: int, message: str | None) -> dict[str, Json]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": file},
            "region": {"startLine": line, "startColumn": column, "endColumn": end_column},
        },
        **({"message": {"text": message}} if message else {}),
    }
