"""The records that are made most, made quickly: each of these is called as the class of the record is."""

from __future__ import annotations

from typing import Final

from hooksd.model.record import (
    AttemptEnded,
    AttemptStarted,
    DeliveryCreated,
    DeliveryEnded,
    Exchange,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
)
from hooksd.model.value import maker

run_started: Final = maker(RunStarted)
step_started: Final = maker(StepStarted)
step_ended: Final = maker(StepEnded)
run_ended: Final = maker(RunEnded)
delivery_created: Final = maker(DeliveryCreated)
attempt_started: Final = maker(AttemptStarted)
exchange: Final = maker(Exchange)
attempt_ended: Final = maker(AttemptEnded)
delivery_ended: Final = maker(DeliveryEnded)
