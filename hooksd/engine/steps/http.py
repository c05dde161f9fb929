"""`http`: one request to anywhere that the role allows; an answer that `expect` does not name is a failure."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import SplitResult, urlencode, urlsplit

from hooksd.config.endpoints import is_literal_host
from hooksd.engine.steps.intent import Act, Intent, Occasion, Refuse
from hooksd.engine.steps.payload import header_problem, payload_of
from hooksd.model.effect import MakeRequest, Performed
from hooksd.model.step import HttpStep, Step

TIMEOUT = 60.0
"""Seconds a request may take when the step does not say, reading the answer included."""
NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


def prepare(occasion: Occasion) -> Intent:
    """Render method, URL, headers and body.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    method, _, url = occasion.text("http").partition(" ")
    parts = _split(url)
    if isinstance(parts, Refuse):
        return parts
    if (reason := occasion.rights.denial("http", url)) is not None:
        return Refuse(error=reason)
    payload = payload_of(occasion)
    headers = dict(occasion.texts("headers"))
    if payload is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = payload.media
    if (problem := header_problem(headers)) is not None:
        return problem
    query = "&".join(filter(None, (parts.query, urlencode(occasion.texts("query")))))
    return Act(
        effect=MakeRequest(
            method=method,
            url=parts._replace(query=query, fragment="").geturl(),
            headers=headers,
            body=payload.body if payload else b"",
            timeout=occasion.step.value.timeout or TIMEOUT,
            egress=occasion.rights.role.egress if occasion.rights.role else None,
            is_literal=is_literal_host(_written(occasion.step.value)),
        )
    )


def _written(step: Step) -> str:
    return step.http.partition(" ")[2] if isinstance(step, HttpStep) else ""


def judge(step: Step, performed: Performed) -> Performed:
    """Return the outcome in the light of `expect`: an answer is a success only if its status is named there."""
    if not performed.ok or performed.code is None or not isinstance(step, HttpStep):
        return performed
    status = str(performed.code)
    if any(status == wanted or (wanted.endswith("xx") and status[0] == wanted[0]) for wanted in step.expect):
        return performed
    error = f"the answer was {status}, expected {' or '.join(step.expect)}"
    return replace(performed, ok=False, kind="http", error=error)


def _split(url: str) -> SplitResult | Refuse:
    """Take a URL apart, refusing what would mean another place to a server than to a permission's pattern."""
    if NOT_IN_A_URL.search(url):
        return Refuse(error="the URL would hold a space, a backslash or a control character: use `| urlencode`")
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError as problem:
        return Refuse(error=f"not a URL: {problem}")
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        return Refuse(error="not a URL that a request can be made to: it must begin with https://HOST or http://HOST")
    if "@" in parts.netloc:
        return Refuse(error="the URL holds a user name or `@`: put credentials into `headers.Authorization`")
    if any(DOTS.fullmatch(segment) for segment in parts.path.split("/")):
        return Refuse(error="the URL's path has a part `.` or `..`, which no permission can be checked on")
    return parts
