from __future__ import annotations

import pytest

from hooksd.config.checks.rules import check


def codes(step: dict[str, object]) -> list[str]:
    return [finding.code for finding in check("workflow", "a.toml", (), {"steps": [step]})]


@pytest.mark.parametrize(
    "argv",
    [
        ["bash", "-c", "echo {{ body.x }}"],
        ["/bin/sh", "-c", "{% if body.x %}x{% endif %}"],
        ["bash", "-euxo", "pipefail", "-c", "{{ body.x }}"],
        ["bash", "-lc", "{{ body.x }}"],
        ["env", "A=b", "dash", "-c", "{{ body.x }}"],
        ["sudo", "-u", "app", "sh", "-c", "cd /srv && {{ body.x }}"],
        ["timeout", "5", "python3", "-c", "{{ body.x }}"],
        ["/opt/python3.12", "-Ic", "{{ body.x }}"],
        ["perl", "-ne", "{{ body.x }}"],
        ["ruby", "-e", "{{ body.x }}"],
        ["node", "--eval", "{{ body.x }}"],
        ["node", "-p", "{{ body.x }}"],
        ["php", "-r", "{{ body.x }}"],
    ],
)
def test_data_in_the_code_of_an_interpreter_is_refused(argv: list[str]) -> None:
    assert codes({"run": argv}) == ["H052"]


@pytest.mark.parametrize(
    "argv",
    [
        ["bash", "-c", 'echo "$1"', "--", "{{ body.x }}"],
        ["bash", "/srv/script.sh", "{{ body.x }}"],
        ["python3", "/srv/script.py", "-c", "{{ body.x }}"],
        ["git", "-c", "{{ body.x }}"],
        ["tar", "-c", "{{ body.x }}"],
        ["bash", "-c"],
        ["bash"],
    ],
)
def test_data_in_other_arguments_is_not(argv: list[str]) -> None:
    assert codes({"run": argv}) == []


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_ENV", "PYTHONPATH", "GIT_SSH_COMMAND", "NODE_OPTIONS"])
@pytest.mark.parametrize("verb", [{"run": ["date"]}, {"shell": "date"}])
def test_data_in_a_variable_that_chooses_code_is_refused(name: str, verb: dict[str, object]) -> None:
    assert codes({**verb, "env": {name: "/srv/{{ body.x }}"}}) == ["H052"]


@pytest.mark.parametrize(
    "env", [{"PATH": "/srv/bin:/usr/bin"}, {"BRANCH": "{{ body.x }}"}, {"GIT_AUTHOR_NAME": "{{ body.x }}"}]
)
def test_constants_and_names_of_ones_own_are_fine(env: dict[str, object]) -> None:
    assert codes({"run": ["date"], "env": env}) == []


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example", "x.example", "//x.example", "https://", "http:///path", "https://a:b@x.example", "https://x y",
     "https://x.example:99999", "https://[::1", "file:///etc/passwd", "https://me@x.example/{{ body.x }}",
     "gopher://{{ body.x }}"],
)  # fmt: skip
def test_a_url_that_cannot_or_must_not_be_called_is_refused(url: str) -> None:
    endpoint = list(check("endpoint", "a.toml", ("endpoints", "e"), {"url": url}))
    assert [finding.code for finding in endpoint] == ["H080"]
    assert codes({"http": f"GET {url}"}) == ["H080"]


@pytest.mark.parametrize(
    "url",
    ["https://x.example", "http://127.0.0.1:8080/a?b=c", "https://{{ body.host }}/", "{{ secrets.url }}", "HTTPS://x",
     "http{{ body.s }}://x.example", "https://[::1]:80/"],
)  # fmt: skip
def test_a_url_that_can_be_called_is_not(url: str) -> None:
    assert list(check("endpoint", "a.toml", (), {"url": url})) == []
    assert codes({"http": f"GET {url}"}) == []


def test_an_id_used_twice_is_told_at_the_second_with_the_first() -> None:
    table = {"steps": [{"id": "a"}, {"id": "b"}], "finally": [{"id": "a"}, {}]}
    (finding,) = check("workflow", "a.toml", ("workflows", "w"), table)
    assert finding.code == "H032"
    assert finding.path == ("workflows", "w", "finally", 0, "id")
    assert finding.related[0].path == ("workflows", "w", "steps", 0, "id")
