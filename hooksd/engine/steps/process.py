"""`run` and `shell`: start a program. Data reaches it as arguments, environment and standard input, never as code."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from hooksd.engine.steps.intent import Act, Intent, Occasion, Refuse
from hooksd.expr.event import event_json
from hooksd.model.effect import StartProcess
from hooksd.model.step import RunStep, ShellStep

TIMEOUT = 60.0
"""Seconds a program may take when the step does not say. Long enough for most, short enough to notice."""
SHELL = ("/bin/sh", "-eu", "-c")
_PROGRAMS = (RunStep, ShellStep)


def prepare_run(occasion: Occasion) -> Intent:
    """Render the program and its arguments.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    argv = tuple(map(str, occasion.step.values["run"].texts(occasion.scope)))
    program = argv[0]
    if not program.strip():
        return Refuse(error="the program's name is empty")
    if ".." in program.split("/"):
        return Refuse(error=f"the program's path goes up (`..`), which no permission can be checked on: {program}")
    return _start("run", program, argv, occasion)


def prepare_shell(occasion: Occasion) -> Intent:
    """Hand the script, which is a constant, to the shell.

    Raises:
        RenderProblem: A template in `env` or `stdin` cannot be rendered.
    """
    step = occasion.step.value
    script = step.shell if isinstance(step, ShellStep) else ""
    return _start("shell", "", (*SHELL, script), occasion)


def _start(verb: str, target: str, argv: tuple[str, ...], occasion: Occasion) -> Intent:
    if (reason := occasion.rights.denial(verb, target)) is not None:
        return Refuse(error=reason)
    step = occasion.step.value
    env = {**occasion.texts("env"), **hooksd_environment(occasion)}
    if "\0" in " ".join((*argv, *env.values())):
        return Refuse(error="an argument or a variable would hold a NUL byte, which no program can be given")
    event = orjson.dumps(event_json(occasion.run.event))
    own = occasion.text("stdin").encode() if occasion.has("stdin") else None
    return Act(
        effect=StartProcess(
            argv=argv,
            env=env,
            stdin=event if own is None else own,
            event=None if own is None else event,
            cwd=(step.cwd if isinstance(step, _PROGRAMS) else None) or "/",
            timeout=step.timeout or TIMEOUT,
        )
    )


def hooksd_environment(occasion: Occasion) -> Mapping[str, str]:
    """Return the HOOKSD_* variables that every program gets; a step cannot replace them."""
    run = occasion.run
    event = run.event
    return {
        "HOOKSD_EVENT_ID": event.id,
        "HOOKSD_EVENT_TYPE": event.type,
        "HOOKSD_EVENT_SOURCE": event.source,
        "HOOKSD_EVENT_SUBJECT": event.subject or "",
        "HOOKSD_EVENT_TIME": event.time,
        "HOOKSD_WORKFLOW": run.workflow.name,
        "HOOKSD_RUN_ID": run.id,
        "HOOKSD_STEP": occasion.step.key,
        "HOOKSD_ATTEMPT": str(occasion.number),
        "HOOKSD_HOP": str(event.hop),
    }
