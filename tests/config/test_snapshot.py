from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hooksd.config.snapshot import Revision, Snapshot, is_heard, receivers, subscribers
from tests.config.sets import snapshot, workflow

WEBHOOK = '[webhooks.NAME]\nauth.type = "none"\n'


def names(found: Snapshot, event_type: str, webhook: str | None = None) -> list[str]:
    return [item.name for item in subscribers(found, event_type, webhook)]


def of(**on: str) -> Snapshot:
    webhooks = "".join(WEBHOOK.replace("NAME", name) for name in ("github", "shop"))
    files = {f"{name}.toml": workflow(entry) for name, entry in on.items()}
    return snapshot(files | {"webhooks.toml": f"version = 1\n{webhooks}"})


def test_a_revision_is_named_by_the_first_twelve_digits_of_its_digest() -> None:
    assert Revision(tree="sha256:0123456789abcdef").id == "0123456789ab"


def test_a_workflow_hears_of_the_event_type_it_names_and_of_no_other() -> None:
    found = of(deploy='"github.push"')
    assert names(found, "github.push") == ["deploy"]
    assert names(found, "github.pushed") == []
    assert names(found, "github") == []


def test_a_star_stands_for_any_characters_dots_included() -> None:
    found = of(audit='"github.*"', all='"*"')
    assert names(found, "github.pull_request.opened") == ["all", "audit"]
    assert names(found, "stripe.paid") == ["all"]


def test_a_webhook_can_be_named_in_two_spellings() -> None:
    found = of(one='"webhook:github"', two='"webhookId:github"', three='"webhook:shop"')
    assert names(found, "webhook.github", "github") == ["one", "two"]
    assert names(found, "webhook.github") == []


def test_webhooks_can_be_named_by_a_pattern() -> None:
    found = of(every='"webhook:*"', some='"webhookId:git*"')
    assert names(found, "push", "github") == ["every", "some"]
    assert names(found, "push", "shop") == ["every"]
    assert names(found, "push") == []


def test_an_emitted_event_cannot_pretend_to_have_been_received_by_a_webhook() -> None:
    found = of(one='"webhook:github"', every='"webhook:*"')
    assert names(found, "webhook:github") == []
    assert names(found, "webhook:github", "shop") == ["every"]


def test_manual_fits_no_event_not_even_one_of_that_name() -> None:
    assert names(of(job='"manual"'), "manual") == []


def test_a_workflow_that_fits_several_times_is_found_once_and_in_order_of_names() -> None:
    found = of(b='["github.push", "github.*", "webhook:github", "*"]', a='"*"', c='"github.push"')
    assert names(found, "github.push", "github") == ["a", "b", "c"]


@given(st.text(max_size=20), st.none() | st.text(max_size=10))
def test_no_event_type_and_no_name_breaks_the_lookup(event_type: str, webhook: str | None) -> None:
    assert names(EVERYTHING, event_type, webhook)[:1] == ["all"]


EVERYTHING = of(all='"*"', github='"github.push"', every='"webhook:*"')


def receiving(**subscribe: str) -> Snapshot:
    endpoints = (
        f'[endpoints.{name}]\nurl = "https://{name}.example/"\nsubscribe = {entries}\n'
        for name, entries in subscribe.items()
    )
    return snapshot({"endpoints.toml": "version = 1\n" + "".join(endpoints)})


def heard(found: Snapshot, event_type: str) -> list[str]:
    return [item.name for item in receivers(found, event_type)]


def test_an_endpoint_hears_of_the_types_it_subscribes_to_once_each() -> None:
    found = receiving(b='["order.*", "order.paid", "*"]', a='"order.paid"', c='"parcel.sent"')

    assert heard(found, "order.paid") == ["a", "b"]
    assert heard(found, "order.late") == ["b"]
    assert heard(found, "parcel.sent") == ["b", "c"]


def test_an_endpoint_that_subscribes_to_nothing_hears_nothing() -> None:
    found = receiving(a="[]", b='"order.paid"')

    assert heard(found, "anything") == []
    assert heard(found, "order.paid") == ["b"]


def test_an_endpoint_that_subscribes_to_everything_hears_nothing_of_the_daemon_itself() -> None:
    found = receiving(all='"*"', some='["*", "config.*"]', one='"config.rejected"')

    assert heard(found, "config.rejected") == ["one", "some"]
    assert heard(found, "workflow.deploy.failed") == []
    assert not is_heard(receiving(all='"*"'), "config.applied")


def test_an_event_of_the_daemon_is_made_when_a_workflow_or_an_endpoint_wants_it() -> None:
    assert is_heard(receiving(a='"config.*"'), "config.rejected")
    assert is_heard(of(alert='"config.rejected"'), "config.rejected")
    assert not is_heard(receiving(a='"order.*"'), "config.rejected")
