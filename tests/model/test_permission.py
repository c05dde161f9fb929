from __future__ import annotations

import pytest

from hooksd.model.permission import base_of, denial, least_trust, secret_denial
from hooksd.model.role import Role
from hooksd.model.trust import Trust

DEPLOYER = Role(
    allow=("run:/srv/app/bin/*", "http:https://api.github.com/*", "send:slack", "shell"), secrets=("token",)
)


def refused(verb: str, target: str = "", *, role: Role | None = DEPLOYER, trust: Trust = Trust.SIGNED) -> str | None:
    return denial(verb, target, role=role, role_name="deployer" if role else None, trust=trust)


@pytest.mark.parametrize("verb", ["set", "respond", "sleep", "fail"])
@pytest.mark.parametrize("role", [None, Role()])
def test_steps_that_touch_nothing_are_always_allowed(verb: str, role: Role | None) -> None:
    assert refused(verb, role=role, trust=Trust.ANONYMOUS) is None


@pytest.mark.parametrize("verb", ["run", "shell", "http"])
def test_programs_and_requests_need_a_role_whoever_calls(verb: str) -> None:
    assert "needs a role" in str(refused(verb, "x", role=None, trust=Trust.LOCAL))


def test_without_a_role_a_caller_who_proved_something_may_send() -> None:
    assert refused("send", "slack", role=None, trust=Trust.TOKEN) is None
    assert "this event is anonymous" in str(refused("send", "slack", role=None, trust=Trust.ANONYMOUS))


def test_everybody_may_emit_unless_the_role_lists_what() -> None:
    listed = Role(allow=("emit:order.*",))

    assert refused("emit", "any", role=None, trust=Trust.ANONYMOUS) is None
    assert refused("emit", "any") is None
    assert refused("emit", "order.paid", role=listed) is None
    assert refused("emit", "any", role=listed) is not None


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("run", "/srv/app/bin/deploy"),
        ("run", "/srv/app/bin/..deploy"),
        ("http", "https://api.github.com/repos?path=../x"),
        ("send", "slack"),
        ("shell", ""),
    ],
)
def test_a_role_may_do_what_it_lists(verb: str, target: str) -> None:
    assert refused(verb, target) is None


@pytest.mark.parametrize(("verb", "target"), [("run", "/bin/sh"), ("http", "http://api.github.com/"), ("send", "mail")])
def test_a_role_may_do_nothing_else_and_the_reason_says_where_to_allow_it(verb: str, target: str) -> None:
    reason = str(refused(verb, target))

    assert f"`{verb}:{target}`" in reason
    assert "[roles.deployer]" in reason


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("run", "/srv/app/bin/../../../bin/sh"),
        ("run", "/srv/app/bin/.."),
        ("http", "https://api.github.com/%2E%2e/admin"),
        ("http", "https://api.github.com/a%2f..%2fb"),
        ("http", "https://api.github.com/..\\x"),
    ],
)
def test_no_permission_reaches_out_of_its_folder(verb: str, target: str) -> None:
    assert "`..`" in str(refused(verb, target))


def test_shell_is_denied_by_its_own_name() -> None:
    assert "`shell`" in str(refused("shell", role=Role(allow=("run:*",))))


def test_secrets_are_read_by_roles_that_name_them() -> None:
    assert secret_denial("token", role=DEPLOYER, role_name="deployer") is None
    assert '"other"' in str(secret_denial("other", role=DEPLOYER, role_name="deployer"))
    assert "run_as" in str(secret_denial("token", role=None, role_name=None))


def test_a_workflow_with_a_role_wants_a_token_at_least_unless_it_says_otherwise() -> None:
    assert least_trust(None, "deployer") is Trust.TOKEN
    assert least_trust(None, None) is Trust.ANONYMOUS
    assert least_trust("anonymous", "deployer") is Trust.ANONYMOUS
    assert least_trust("signed", None) is Trust.SIGNED


def allowed(pattern: str, url: str) -> bool:
    role = Role(allow=(f"http:{pattern}",))
    return denial("http", url, role=role, role_name="r", trust=Trust.LOCAL) is None


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://*.example.com/*", "https://evil.test/x.example.com/"),
        ("https://*.example.com/*", "https://evil.test?.example.com/"),
        ("https://*.example.com/*", "https://evil.test#.example.com/"),
        ("https://a.example/*", "https://a.example.evil.test/"),
        ("https://a.example:*/*", "https://a.example.evil.test:1/"),
        ("https://*/status", "https://a.example/x/status"),
    ],
)
def test_a_star_in_a_host_does_not_reach_into_the_path(pattern: str, url: str) -> None:
    assert not allowed(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("*", "http://10.0.0.1/x"),
        ("https://*.example.com/*", "https://a.b.example.com/x?y"),
        ("https://a.example:*/*", "https://a.example:8443/x"),
        ("https://*/status", "https://a.example/status"),
        ("https://a.example", "https://a.example"),
        ("https://*", "https://a.example/x"),
    ],
)
def test_a_star_in_a_host_is_any_host_there(pattern: str, url: str) -> None:
    assert allowed(pattern, url)


@pytest.mark.parametrize(
    ("allow", "target", "base"),
    [
        ("save:/srv/in/*", "/srv/in/a/b", "/srv/in"),
        ("save:/srv/in-*", "/srv/in-1/b", "/srv"),
        ("save:/srv/in/report.json", "/srv/in/report.json", "/srv/in"),
        ("save:*", "/srv/x", ""),
        ("save:inbox/*", "inbox/x", ""),
    ],
)
def test_what_a_permission_for_paths_allows_lies_below_one_directory(allow: str, target: str, base: str) -> None:
    assert base_of("save", target, Role(allow=(allow,))) == base
