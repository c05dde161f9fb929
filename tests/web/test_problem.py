from __future__ import annotations

import orjson

from hooksd.web.problem import problem, unavailable


def test_a_problem_says_its_status_in_words_and_what_is_wrong_here() -> None:
    answer = problem(413, "the body may have at most 10 bytes", more={"limit": 10})

    assert answer.header("content-type") == "application/problem+json"
    assert orjson.loads(answer.body) == {
        "type": "about:blank",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "the body may have at most 10 bytes",
        "limit": 10,
    }


def test_a_problem_without_a_detail_tells_nothing_more() -> None:
    assert orjson.loads(problem(401).body) == {"type": "about:blank", "title": "Unauthorized", "status": 401}


def test_who_cannot_be_served_now_is_told_when_to_come_again() -> None:
    answer = unavailable("the log is full")

    assert answer.status == 503
    assert answer.header("retry-after") == "5"
