"""`docs/definitions.md` lists every key of every table, in the order of the models, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from hooksd.expr.scope import NAMES
from hooksd.model.auth import AUTH_MODELS
from hooksd.model.egress import Egress
from hooksd.model.endpoint import BasicAuth, Endpoint, EndpointTls, OAuth2
from hooksd.model.file import DefinitionFile
from hooksd.model.retry import Retry
from hooksd.model.role import Role
from hooksd.model.step import STEP_MODELS
from hooksd.model.webhook import Limits, Webhook
from hooksd.model.workflow import Workflow

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
COMMON = ("id", "if", "timeout", "retry", "on_error", "on_interrupt")
TABLES: dict[str, type[BaseModel]] = {
    "Files": DefinitionFile,
    "Workflows": Workflow,
    "Webhooks": Webhook,
    "limits": Limits,
    "Endpoints": Endpoint,
    "basic_auth": BasicAuth,
    "oauth2": OAuth2,
    "tls": EndpointTls,
    "egress": Egress,
    "Roles": Role,
    "retry": Retry,
    **STEP_MODELS,
    **{f"auth: {kind}": model for kind, model in AUTH_MODELS.items()},
}


def rows(title: str) -> dict[str, tuple[str, str]]:
    """Return default and meaning by key, from the table below a heading."""
    section = re.split(rf"^#+ {re.escape(title)}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+) \|$", section, re.MULTILINE)
    return {key: (default, meaning) for key, default, meaning in found}


@pytest.mark.parametrize("title", TABLES)
def test_every_key_is_documented_with_the_words_of_the_model(title: str) -> None:
    model = TABLES[title]
    skipped = COMMON if model in STEP_MODELS.values() else ()
    expected = {field.alias or name: field for name, field in model.model_fields.items()}
    documented = rows(title)
    assert list(documented) == [key for key in expected if key not in skipped]
    for key, (default, meaning) in documented.items():
        assert meaning.replace("\\|", "|") == " ".join((expected[key].description or "").split())
        assert (default == "required") == expected[key].is_required()


def test_the_keys_of_every_step_are_documented_once() -> None:
    assert tuple(rows("Steps")) == COMMON


def test_every_name_in_scope_is_documented() -> None:
    section = PAGE.split("| Name | Where |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)) >= {
        f"`{name}`" for name in NAMES - {"headers", "query"}
    }
    assert "`headers`, `query`" in section
