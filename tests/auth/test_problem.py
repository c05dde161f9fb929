from __future__ import annotations

from hooksd.auth.problem import AuthProblem


def test_a_problem_names_its_key_what_is_wrong_and_what_to_do() -> None:
    problem = AuthProblem("secret", "a secret is missing", "write one")

    assert str(problem) == problem.message == "a secret is missing"
    assert (problem.key, problem.hint) == ("secret", "write one")
    assert AuthProblem("secret", "a secret is missing").hint is None
