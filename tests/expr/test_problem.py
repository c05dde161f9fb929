from __future__ import annotations

from hooksd.expr.problem import Absent, ExpressionProblem, RenderProblem


def test_a_problem_of_an_expression_says_what_where_and_what_to_do() -> None:
    problem = ExpressionProblem("unknown name `x`", start=1, end=2, hint="did you mean `y`?")

    assert str(problem) == problem.message == "unknown name `x`"
    assert (problem.start, problem.end, problem.hint, problem.path) == (1, 2, "did you mean `y`?", ())


def test_an_absent_name_is_a_problem_of_rendering_that_names_it() -> None:
    problem = Absent("body.x")

    assert isinstance(problem, RenderProblem)
    assert problem.missing == "body.x"
    assert "`body.x` is missing" in problem.message


def test_another_problem_of_rendering_names_nothing() -> None:
    assert RenderProblem("too large").missing is None
