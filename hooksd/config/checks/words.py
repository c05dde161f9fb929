"""The models' rules in plain words: what to write."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hooksd.model.base import NAME_PATTERN
from hooksd.model.egress import PROXY_PATTERN
from hooksd.model.endpoint import EVENT_PATTERN, SIGN_PATTERN, TOKEN_URL_PATTERN, USER_PATTERN
from hooksd.model.mailbox import MAILBOX_PATTERN
from hooksd.model.role import PERMISSION_PATTERN
from hooksd.model.webhook import ANSWER_PATTERN, SCHEMA_PATTERN, UUID_PATTERN

PATTERNS: Mapping[str, str] = MappingProxyType({
    NAME_PATTERN: "a name has letters, digits, `.`, `_` and `-`, and begins with a letter or digit",
    r"^[A-Za-z_][A-Za-z0-9_-]*$": "a name here has letters, digits, `_` and `-`, and begins with a letter or `_`",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of a variable has letters, digits and `_`, and begins with no digit",
    r"^((header|query|form|json\??|const):.*|method|url|)$":
        "say where it is: `header:X`, `query:x`, `form:x`, `json:a.b`, `const:x`, `method` or `url`",
    PERMISSION_PATTERN:
        "a permission is `run:PROGRAM`, `http:URL`, `send:ENDPOINT`, `emit:TYPE`, `mail:ADDRESS` or `save:PATH`, each "
        "with `*` for any characters, or `shell`",
    MAILBOX_PATTERN: "write an address, like `a@example.com` or `Name <a@example.com>`",
    SIGN_PATTERN:
        "write `standard-webhooks`, `github`, `stripe` or a hash with a header, like `hmac-sha256:X-Signature`",
    EVENT_PATTERN: "write types of events, like `order.paid`, or a pattern of them, like `order.*`",
    SCHEMA_PATTERN: "write the path of a file below `hooks.d`, like `schemas/lead.json`",
    UUID_PATTERN:
        "write the hash that `printf %s UUID | sha256sum` prints, like `sha256:9f86...`; `hooksd webhook create` makes "
        "one",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$": "write a time in UTC, like `2026-11-22T03:28:00Z`",
    ANSWER_PATTERN: "write `accept`, `none` or `wait:` with a time, like `wait:10s`",
    r"^/[A-Za-z0-9._~/-]*$": "a path begins with `/` and has letters, digits, `.`, `_`, `~`, `/` and `-`",
    r"^[A-Za-z0-9-]+$": "the name of a header has letters, digits and `-`",
    r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!-~]*$": "write a URL that begins with `https://HOST/`",
    USER_PATTERN: "a user name has no `:` and no control characters",
    PROXY_PATTERN: "write a proxy without credentials, like `http://proxy.internal:3128`",
    TOKEN_URL_PATTERN: "write a URL without templates, like `https://login.example.com/token`",
    r"^(GET|POST|PUT|PATCH|DELETE|HEAD) \S":
        "write the method in capitals and the URL, like `GET https://app.example.com/healthz`",
    r"^(\{\{.*?\}\}|\S)+$": "an event type has no spaces, like `order.received`",
})  # fmt: skip
"""What a text has to look like, by the pattern that it does not fit."""

MISSING: Mapping[str, str] = MappingProxyType({
    "to": 'say where, like `to = "inbox/{{ event.id }}"`',
    "on": 'say which events start it, like `on = "github.push"`, or `on = "manual"`',
    "steps": "add a `[[steps]]` line and below it what to do",
    "auth": 'say how callers prove who they are: `auth.preset = "github"`, or `auth.type = "bearer"` with a secret; '
            '`auth.type = "none"` lets everybody in',
    "subject": 'say what it is about, like `subject = "..."`',
    "text": 'say what it says, like `text = "..."`',
    "url": 'say where deliveries go, like `url = "https://example.com/hook"`',
    "username": 'add `auth.username = "..."`',
    "password": 'add `auth.password = "credential:NAME"`',
    "algorithm": 'say which kind of signature it is, like `auth.algorithm = "ed25519"`',
    "of": 'write the proofs, like `auth.of = [{ preset = "github", secret = "credential:NAME" }, ...]`',
    "token_url": 'say where tokens are had, like `oauth2.token_url = "https://login.example.com/token"`',
    "client_id": 'add `oauth2.client_id = "..."`',
    "client_secret": 'add `oauth2.client_secret = "credential:NAME"`',
    "reply": "add `reply = { ... }`: what the provider gets",
    "webhook_id": 'add `auth.webhook_id = "..."`, as the dashboard of PayPal shows it',
    "token": 'say where the token is, like `auth.token = "header:X-Token"`',
})  # fmt: skip
"""What to write, by the key that is missing."""

UNIONS: Mapping[str, str] = MappingProxyType({
    "retry": '"none", "quick", "standard", "week" or a table like { max = 5, delay = "2s" }',
    "claims": "a text, a number, true or false, or a list of such values",
    "dedupe": "a template, like `{{ body.id }}`, or `false`",
    "signed": 'a text like "{timestamp}.{body}", or a table of such texts by media type',
})  # fmt: skip
"""What a key takes that takes more than one kind of value."""

TYPED: Mapping[str, str] = MappingProxyType({
    "run": 'write the program and its arguments as a list, like ["git", "pull"]; `shell` takes a script',
    "steps": "write `[[steps]]` with two pairs of brackets",
    "on_failure": "write `[[on_failure]]` with two pairs of brackets",
    "finally": "write `[[finally]]` with two pairs of brackets",
    "allow": 'write a list, like ["run:/srv/app/bin/*"]',
    "methods": 'write a list, like ["POST"]',
    "auth": 'write `auth.preset = "..."` or `auth.type = "..."`',
    "rate": 'write a rate, like "5/10m" or "20/1m per address"',
    "limits": 'write `limits.body = "10MiB"`',
    "env": 'write `env.NAME = "..."`',
    "headers": 'write `headers.X-Name = "..."`',
    "query": 'write `query.name = "..."`',
    "set": 'write `set.name = "..."`',
    "vars": 'write `vars.name = "..."`',
})  # fmt: skip
"""What to write, by the key that has a value of the wrong type."""


def listing(words: tuple[str, ...] | list[str], quote: str = "`") -> str:
    """Write words as a list for people: "`a`, `b` or `c`"."""
    quoted = [f"{quote}{word}{quote}" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
