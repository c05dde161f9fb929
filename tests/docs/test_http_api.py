from __future__ import annotations

import re
import shutil

import pytest

from tests.docs.console import carried_out, definitions, examples, page
from tests.end_to_end.daemon import Daemon
from tests.web.desks import admin_of, every_desk
from tests.web.doubles import FakeControl

TEXT = page("http-api.md")


def routes() -> list[str]:
    admin = admin_of(FakeControl(), *every_desk())
    return [
        f"{method} {re.sub('{([a-z]+)}', lambda name: name[1].upper(), route.path)}"
        for route in admin.routes()
        for method in (route.methods or set()) - {"HEAD"}
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are told with curl")
def test_every_example_does_what_the_page_shows(daemon: Daemon) -> None:
    here = f"127.0.0.1:{daemon.port}"
    daemon.write({name: text.replace("127.0.0.1:9000", here) for name, text in definitions(TEXT).items()})
    daemon.variables["HOOKSD_ADMIN_WRITE"] = "true"
    daemon.start()

    for example in examples(TEXT):
        said = carried_out(example, daemon)
        assert example.fits(said), f"$ {example.command}\n{said}"


@pytest.mark.parametrize("route", sorted(routes()))
def test_every_route_has_its_section(route: str) -> None:
    assert f"\n## {route}\n" in TEXT


def test_no_section_describes_a_route_that_is_not_there() -> None:
    assert set(re.findall(r"^## ((?:GET|POST|PUT|DELETE) \S+)$", TEXT, re.MULTILINE)) == set(routes())
