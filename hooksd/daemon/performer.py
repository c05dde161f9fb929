"""Who carries out which effect. The engine asks this one `Performer`; `daemon.wiring` says who stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, assert_never

from hooksd.engine.ports import Performer
from hooksd.model.effect import Deliver, Effect, MakeRequest, Performed, SaveFiles, SendMail, StartProcess

_Work = Coroutine[Any, Any, Performed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """Hands each effect to the part that carries it out."""

    process: Callable[[StartProcess], _Work]
    request: Callable[[MakeRequest], _Work]
    deliver: Callable[[Deliver], _Work]
    mail: Callable[[SendMail], _Work]
    save: Callable[[SaveFiles], _Work]

    def perform(self, effect: Effect) -> _Work:
        """Return what carries out an effect and says what came of it."""
        match effect:
            case StartProcess():
                return self.process(effect)
            case Deliver():
                return self.deliver(effect)
            case MakeRequest():
                return self.request(effect)
            case SendMail():
                return self.mail(effect)
            case SaveFiles():
                return self.save(effect)
            case _:
                assert_never(effect)


_: type[Performer] = Switchboard
