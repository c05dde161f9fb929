"""Rules about single definitions that no model can state: ids used twice, data that becomes code, bad destinations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hooksd.config.checks import headers
from hooksd.config.checks.urls import url_problem
from hooksd.config.checks.written import Kind, raw_steps, text_of
from hooksd.config.finding import Elsewhere, Finding
from hooksd.config.position import Path
from hooksd.model.base import Json

_SHELL = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*")
_SCRIPT = re.compile(r"-[a-zA-Z]*[eE]|--eval|--print|-p|-r")
INTERPRETERS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "su"), _SHELL),
    **dict.fromkeys(("python", "pypy"), re.compile(r"-[a-zA-Z]*c")),
    **dict.fromkeys(("perl", "ruby", "node", "nodejs", "deno", "bun", "php", "lua"), _SCRIPT),
}
"""Programs that run an argument as code, and the option before that argument."""

CODE_VARIABLES = re.compile(
    r"PATH|LD_\w+|BASH_ENV|ENV|IFS|(BASH_FUNC_|PS4|PROMPT_COMMAND).*|PYTHON(PATH|HOME|STARTUP|INSPECT)"
    r"|PERL5(LIB|OPT|DB)|RUBY(OPT|LIB)|NODE_(OPTIONS|PATH)|JAVA_TOOL_OPTIONS|GIT_(SSH|SSH_COMMAND|ASKPASS|EDITOR|PAGER"
    r"|EXTERNAL_DIFF|PROXY_COMMAND|EXEC_PATH|CONFIG\w*)|SSH_ASKPASS|EDITOR|VISUAL|PAGER|BROWSER"
)
"""Variables that decide which code a program runs."""


def check(kind: Kind, file: str, base: Path, table: Mapping[str, Json]) -> Iterator[Finding]:
    """Return what breaks a rule in one definition."""
    if kind == "endpoint":
        yield from _destination(file, (*base, "url"), text_of(table, "url"), 0)
        yield from headers.check(file, base, table)
    if kind != "workflow":
        return
    yield from _ids(file, base, table)
    for phase, index, step in raw_steps(table):
        path = (*base, phase, index)
        yield from _code(file, (*path, "run"), step.get("run"))
        yield from _variables(file, (*path, "env"), step.get("env"))
        request = text_of(step, "http")
        if request and " " in request:
            start = request.index(" ") + 1
            yield from _destination(file, (*path, "http"), request[start:].strip(), start)


def _ids(file: str, base: Path, table: Mapping[str, Json]) -> Iterator[Finding]:
    first: dict[str, Path] = {}
    for phase, index, step in raw_steps(table):
        name = text_of(step, "id")
        path = (*base, phase, index, "id")
        if name is None:
            continue
        if name in first:
            related = (Elsewhere(file=file, path=first[name], message="first here"),)
            hint = "ids are unique in a workflow, `on_failure` and `finally` included"
            message = f"two steps have the id `{name}`"
            yield Finding(code="H032", message=message, file=file, path=path, related=related, hint=hint)
        first.setdefault(name, path)


def _code(file: str, path: Path, argv: Json) -> Iterator[Finding]:
    """Find templates in what an interpreter takes for code: `["bash", "-c", "echo {{ body.x }}"]`."""
    if not isinstance(argv, list) or not all(isinstance(item, str) for item in argv):
        return
    options: re.Pattern[str] | None = None
    name = ""
    for index, item in enumerate(argv[:-1]):
        program = re.sub(r"[\d.]+$", "", item.rpartition("/")[2])
        if options is None:
            # Programs like `env` and `sudo` may stand before the interpreter.
            options, name = INTERPRETERS.get(program), program
        elif options.fullmatch(item):
            yield from _rendered_code(file, (*path, index + 1), argv[index + 1], f"{name} {item}")
            return
        elif not item.startswith("-") and not argv[index - 1].startswith("-"):
            return  # a script: what follows are its own arguments


def _rendered_code(file: str, path: Path, code: str, command: str) -> Iterator[Finding]:
    if _is_template(code):
        message = f"`{command}` runs this text as code, and the template puts data into it"
        hint = "whoever sends the data could run anything: keep the script constant, pass data by `env` or `stdin`"
        yield Finding(code="H052", message=message, file=file, path=path, hint=hint)


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _variables(file: str, path: Path, env: Json) -> Iterator[Finding]:
    """Find templates in variables that choose code: `env.LD_PRELOAD = "{{ body.x }}"`."""
    for name, value in env.items() if isinstance(env, dict) else ():
        if isinstance(value, str) and _is_template(value) and CODE_VARIABLES.fullmatch(name):
            message = f"`{name}` decides which code programs run, and the template puts data into it"
            hint = "write a constant, or pass the data in a variable with a name of your own"
            yield Finding(code="H052", message=message, file=file, path=(*path, name), hint=hint)


def _destination(file: str, path: Path, url: str | None, start: int) -> Iterator[Finding]:
    """Check the part of a URL that stands before any template."""
    if url is None or not (constant := re.split(r"\{\{|\{%", url, maxsplit=1)[0]):
        return
    problem = url_problem(constant, is_whole=constant == url)
    if problem is not None:
        message, hint = problem
        within = (start, start + len(url))
        yield Finding(code="H080", message=message, file=file, path=path, within=within, hint=hint)
