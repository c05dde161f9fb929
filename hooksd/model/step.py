"""Steps: a closed union, one model for each verb; a step has exactly one verb key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StrictInt, StringConstraints, Tag, field_validator
from pydantic_core import PydanticCustomError

from hooksd.model.base import Definition, Expression, Json, Name, Names, Template, Texts, keys_of
from hooksd.model.mailbox import MAILBOX_PATTERN
from hooksd.model.retry import RetryRule
from hooksd.model.units import Duration

StepId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=64)]
Environment = Mapping[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Template]


class _Step(Definition):
    """What every step may say."""

    id: StepId | None = None
    """Its name in `steps.NAME` and in the log. Default: its place, like `steps[0]`."""
    if_: Expression | None = Field(default=None, alias="if")
    """The step is skipped unless this is true."""
    timeout: Duration | None = None
    """The longest one attempt may take. Default: 60s for `run`, `shell` and `http`, none otherwise."""
    retry: RetryRule | None = None
    """When a failed attempt is made again. Default: never (`send`: as the endpoint says)."""
    on_error: Literal["fail", "continue"] = "fail"
    """`continue`: the next step runs although this one failed."""
    on_interrupt: Literal["retry", "fail"] | None = None
    """What a crash in the middle means. Default: retry where that is safe, else fail."""


class _Payload(_Step):
    """What a request may carry: at most one of json, text and form (and `data`, to an endpoint)."""

    json_: Json = Field(default=None, alias="json")
    """A JSON body; templates inside keep the type of a value that is one expression."""
    text: Template | None = None
    """A text body."""
    form: Mapping[str, Template] | None = None
    """A form as the body: fields by name."""
    headers: Mapping[str, Template] = {}
    """Added to the request."""
    query: Mapping[str, Template] = {}
    """Added to the query of the URL."""

    @property
    def has_json(self) -> bool:
        """Tell whether `json` was written (null is a JSON value)."""
        return "json_" in self.model_fields_set


class _Process(_Step):
    """What a child process may be given."""

    env: Environment = {}
    """Added to the clean environment."""
    stdin: Template | None = None
    """Replaces the event on standard input."""
    cwd: str | None = None
    """Where it runs. Default: the root directory `/`."""


class RunStep(_Process):
    """Start a program, without a shell."""

    run: Annotated[tuple[Template, ...], Field(min_length=1)]
    """The program and its arguments, one string each."""


class ShellStep(_Process):
    """Run a constant script with `/bin/sh -eu`; data reaches it through `env` and standard input only."""

    shell: str
    """The script. It is never rendered."""

    @field_validator("shell")
    @classmethod
    def _is_constant(cls, script: str) -> str:
        if "{{" in script or "{%" in script:
            raise PydanticCustomError("shell_template", "`shell` is never rendered, so that data cannot become code")
        return script


class HttpStep(_Payload):
    """Make one request; an answer that `expect` does not name fails the step."""

    http: Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE|HEAD) \S", max_length=8192)]
    """Method and URL, like `GET https://app.example.com/healthz`."""
    expect: Annotated[Texts, Field(min_length=1)] = ("2xx",)
    """Status codes that are a success: `"2xx"`, `"404"`."""

    @field_validator("expect")
    @classmethod
    def _are_statuses(cls, expect: tuple[str, ...]) -> tuple[str, ...]:
        for status in expect:
            if len(status) != 3 or status[0] not in "12345" or not (status[1:].isdigit() or status[1:] == "xx"):
                raise PydanticCustomError("expect", 'expected status codes like "200" or "2xx"')
        return expect


class _Given(_Payload):
    """What an endpoint may be given."""

    data: Json = None
    """What the endpoint makes a body of, by its `content_type` and `payload_encoding`: text, or any other value."""


class SendStep(_Given):
    """Deliver to registered endpoints: a 2xx answer, or the endpoint's retry schedule."""

    send: Annotated[Names, Field(min_length=1)]
    """The endpoints by name; each gets one delivery."""


class CallStep(_Given):
    """Ask a registered endpoint: any answer is data, and so is that there was none."""

    call: Name
    """The endpoint by name."""


class EmitStep(_Step):
    """Publish an event that may start further workflows."""

    emit: Annotated[str, StringConstraints(pattern=r"^(\{\{.*?\}\}|\S)+$", max_length=512)]
    """The event type, without spaces; may hold templates."""
    subject: Template | None = None
    """What the event is about. Default: the subject of the event that started this run."""
    json_: Json = Field(default=None, alias="json")
    """The event's body. Default: the body of the event that started this run."""

    @property
    def has_json(self) -> bool:
        """Tell whether `json` was written (null is a JSON value)."""
        return "json_" in self.model_fields_set


class SetStep(_Step):
    """Set variables, read as `vars.NAME`."""

    set: Mapping[StepId, Json]
    """Values by the name of the variable; templates keep the type of a value that is one expression."""


class RespondStep(_Step):
    """Answer the caller of a webhook with `answer = "wait:..."`."""

    respond: Json
    """The JSON body of the answer."""
    status: Annotated[StrictInt, Field(ge=200, le=599)] = 200
    """The status code of the answer."""
    headers: Mapping[str, Template] = {}
    """Added to the answer."""


class FailStep(_Step):
    """Stop the run as failed."""

    fail: Template
    """Why, for people."""


class MailStep(_Step):
    """Send one e-mail through the mail server of the settings: to all its recipients or to none."""

    mail: Annotated[Texts, Field(min_length=1, max_length=50)]
    """The recipients: one address each, like `sales@example.com`."""
    subject: Annotated[Template, Field(min_length=1)]
    """What it is about, on one line."""
    text: Annotated[Template, Field(min_length=1)]
    """What it says, as plain text."""
    cc: Annotated[Texts, Field(max_length=50)] = ()
    """More recipients, whom all others see."""
    bcc: Annotated[Texts, Field(max_length=50)] = ()
    """More recipients, whom nobody sees."""
    reply_to: Template | None = None
    """The address that answers go to."""
    from_: Annotated[str, StringConstraints(pattern=MAILBOX_PATTERN, max_length=320)] | None = Field(
        default=None, alias="from"
    )
    """Who it comes from: `a@example.com` or `Name <a@example.com>`, never a template. Default: `smtp_from`."""


class SleepStep(_Step):
    """Wait; a restart does not start the wait again."""

    sleep: Duration
    """How long."""


class SaveStep(_Step):
    """Put files of the request, or a value, on the disk: each entirely or not at all."""

    save: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    """What, as an expression without braces: `files`, `files.doc`, `body`. A text is saved as it is, any other value as
    JSON."""
    to: Annotated[Template, Field(min_length=1)]
    """Where: for several files the directory, for one file or value its path; one file may also go to a directory,
    `inbox/`. A relative path begins at `STATE_DIR/files`."""
    on_exists: Literal["fail", "replace", "keep", "rename"] = "fail"
    """What happens where another file has the name: the step fails, the new one replaces it, the old one is kept, or
    the new one gets a number. The same content is never a conflict."""


STEP_MODELS: dict[str, type[_Step]] = {
    "run": RunStep,
    "shell": ShellStep,
    "http": HttpStep,
    "send": SendStep,
    "call": CallStep,
    "emit": EmitStep,
    "set": SetStep,
    "respond": RespondStep,
    "fail": FailStep,
    "mail": MailStep,
    "save": SaveStep,
    "sleep": SleepStep,
}
"""Every verb and its model."""

VERBS = tuple(STEP_MODELS)


def verbs_in(table: Mapping[str, object]) -> list[str]:
    """Return the verbs among the keys of a table; a step has exactly one."""
    return [verb for verb in VERBS if verb in table]


def verb_of(value: object) -> str | None:
    """Return the verb of a step as a table or as a model; None when a table has none, or several."""
    if isinstance(value, Mapping):
        present = verbs_in(value)
        return present[0] if len(present) == 1 else None
    return next((verb for verb, model in STEP_MODELS.items() if type(value) is model), None)


Step = Annotated[
    Annotated[RunStep, Tag("run")]
    | Annotated[ShellStep, Tag("shell")]
    | Annotated[HttpStep, Tag("http")]
    | Annotated[SendStep, Tag("send")]
    | Annotated[CallStep, Tag("call")]
    | Annotated[EmitStep, Tag("emit")]
    | Annotated[SetStep, Tag("set")]
    | Annotated[RespondStep, Tag("respond")]
    | Annotated[FailStep, Tag("fail")]
    | Annotated[MailStep, Tag("mail")]
    | Annotated[SaveStep, Tag("save")]
    | Annotated[SleepStep, Tag("sleep")],
    Discriminator(
        verb_of,
        custom_error_type="step_verb",
        custom_error_message="a step needs exactly one of: " + ", ".join(VERBS),
    ),
]

STEP_KEYS: frozenset[str] = frozenset().union(*(keys_of(model) for model in STEP_MODELS.values()))
"""Every key that some step may have."""
