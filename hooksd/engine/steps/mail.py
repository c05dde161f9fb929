"""`mail`: one message through the mail server of the settings. Data can fill it, never address it beyond the role."""

from __future__ import annotations

import re
from typing import Final

from hooksd.engine.steps.intent import Act, Intent, Occasion, Refuse
from hooksd.model.effect import SendMail
from hooksd.model.mailbox import is_address, lowered
from hooksd.model.step import MailStep

TIMEOUT: Final = 60.0
"""Seconds that a mail server may take when the step does not say."""

MAX_SUBJECT: Final = 500
"""Characters of a subject; a longer one is cut."""

MAX_TEXT: Final = 2**20
"""Characters of a text: most mail servers take 10 MB, encoded."""

_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What could end a line or steer a terminal."""
_NO_ATOM: Final = re.compile(r"[^A-Za-z0-9_-]+")


def prepare(occasion: Occasion) -> Intent:
    """Render the message.

    A line break in the subject becomes a space: whoever sends data must be able neither to begin a header of its own
    nor to stop the message by trying.

    Raises:
        RenderProblem: A template cannot be rendered.
    """
    step = occasion.step.value
    recipients = {key: _addresses(occasion, key) for key in ("mail", "cc", "bcc")}
    reply_to = occasion.text("reply_to") if occasion.has("reply_to") else None
    for address in (*recipients["mail"], *recipients["cc"], *recipients["bcc"]):
        if not is_address(address):
            return Refuse(error=f"{address[:100]!r} is not one address, like `sales@example.com`")
        if (reason := occasion.rights.denial("mail", address)) is not None:
            return Refuse(error=reason)
    if reply_to is not None and not is_address(reply_to):
        return Refuse(error=f"`reply_to` would be {reply_to[:100]!r}, which is not one address")
    text = occasion.text("text")
    if "\0" in text or len(text) > MAX_TEXT:
        return Refuse(error=f"the text would hold a NUL character, or more than {MAX_TEXT} characters")
    return Act(
        effect=SendMail(
            id=f"{occasion.run.id}.{_NO_ATOM.sub('-', occasion.step.key)}",
            sender=step.from_ if isinstance(step, MailStep) else None,
            to=recipients["mail"],
            cc=recipients["cc"],
            bcc=recipients["bcc"],
            reply_to=reply_to,
            subject=_BREAKS.sub(" ", occasion.text("subject")).strip()[:MAX_SUBJECT],
            text=text,
            timeout=step.timeout or TIMEOUT,
        )
    )


def _addresses(occasion: Occasion, key: str) -> tuple[str, ...]:
    texts = occasion.step.values[key].texts(occasion.scope) if occasion.has(key) else ()
    return tuple(lowered(str(text)) for text in texts)
