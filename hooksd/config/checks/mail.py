"""Steps that send mail where there is no mail server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hooksd.config.checks.written import Written, raw_steps
from hooksd.config.finding import Finding


def check(workflows: Iterable[Written], *, can_mail: bool) -> Iterator[Finding]:
    """Return every `mail` step that cannot work.

    Args:
        workflows: Those to look at.
        can_mail: The settings name a mail server.
    """
    for workflow in workflows if not can_mail else ():
        for phase, index, step in raw_steps(workflow.table):
            if "mail" in step:
                yield Finding(
                    code="H081",
                    message="there is no mail server that this step could use",
                    file=workflow.file,
                    path=(*workflow.path, phase, index, "mail"),
                    part="key",
                    hint='set `smtp = "HOST:PORT"` and `smtp_from` in hooksd.toml, or HOOKSD_SMTP and HOOKSD_SMTP_FROM',
                )
