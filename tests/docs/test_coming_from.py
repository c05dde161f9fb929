from __future__ import annotations

from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon

TEXT = page("coming-from.md")


def test_every_example_does_what_the_page_shows(daemon: Daemon) -> None:
    here = f"127.0.0.1:{daemon.port}"
    daemon.write({name: text.replace("127.0.0.1:9000", here) for name, text in definitions(TEXT).items()})
    daemon.variables |= {
        "HOOKSD_ADMIN_WRITE": "true",
        "HOOKSD_SMTP": "127.0.0.1:25",
        "HOOKSD_SMTP_FROM": "hooks@example.com",
    }
    daemon.start()

    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"
