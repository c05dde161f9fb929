from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given

from hooksd.model import making
from hooksd.model.record import RECORD_TYPES, Exchange, Record
from hooksd.model.value import maker
from tests.journal import samples

KINDS: dict[str, Any] = {**RECORD_TYPES}
MAKERS = {name: maker(kind) for name, kind in KINDS.items()}


@given(samples.records())
def test_what_a_maker_makes_is_what_the_class_makes_of_the_same(record: Record) -> None:
    made = MAKERS[record.type](**vars(record))

    assert made == record
    assert type(made) is type(record)
    assert orjson.dumps(made, dict) == orjson.dumps(record, dict)


def test_records_of_runs_and_deliveries_are_made_as_their_classes_make_them() -> None:
    assert making.run_started(**vars(samples.run_started())) == samples.run_started()
    assert making.step_started(**vars(samples.step_started())) == samples.step_started()
    assert making.step_ended(**vars(samples.step_ended())) == samples.step_ended()
    assert making.run_ended(**vars(samples.run_ended())) == samples.run_ended()
    assert making.delivery_created(**vars(samples.delivery_created())) == samples.delivery_created()
    assert making.attempt_started(**vars(samples.attempt_started())) == samples.attempt_started()
    assert making.attempt_ended(**vars(samples.attempt_ended())) == samples.attempt_ended()
    assert making.delivery_ended(**vars(samples.delivery_ended())) == samples.delivery_ended()


def test_what_is_left_out_is_what_the_class_says_and_a_new_one_each_time() -> None:
    first, second = (
        making.exchange(method="GET", url="/", request_headers={}, request_size=0, request_sha256="") for _ in range(2)
    )

    assert first == Exchange(method="GET", url="/", request_headers={}, request_size=0, request_sha256="")
    assert first.phases is not second.phases


def test_a_maker_wants_what_the_class_wants() -> None:
    with pytest.raises(TypeError, match="missing"):
        making.delivery_ended(at=samples.AT)  # type: ignore[call-arg] # that is what is tested
    with pytest.raises(TypeError, match="unexpected"):
        making.attempt_started(**vars(samples.attempt_started()), colour="blue")  # type: ignore[call-arg] # that is what is tested
    with pytest.raises(TypeError, match="positional"):
        making.attempt_started(samples.AT)  # type: ignore[call-arg] # that is what is tested
