"""Who carries out which effect. The engine asks this one `Performer`; `daemon.wiring` says who stands behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

from hooksd.engine.ports import Performer
from hooksd.model.effect import Deliver, Effect, MakeRequest, Performed, SaveFiles, SendMail, StartProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """Hands each effect to the part that carries it out."""

    process: Callable[[StartProcess], Awaitable[Performed]]
    request: Callable[[MakeRequest], Awaitable[Performed]]
    deliver: Callable[[Deliver], Awaitable[Performed]]
    mail: Callable[[SendMail], Awaitable[Performed]]
    save: Callable[[SaveFiles], Awaitable[Performed]]

    async def perform(self, effect: Effect) -> Performed:
        """Carry out an effect and say what came of it."""
        match effect:
            case StartProcess():
                return await self.process(effect)
            case MakeRequest():
                return await self.request(effect)
            case Deliver():
                return await self.deliver(effect)
            case SendMail():
                return await self.mail(effect)
            case SaveFiles():
                return await self.save(effect)
            case _:
                assert_never(effect)


_: type[Performer] = Switchboard
