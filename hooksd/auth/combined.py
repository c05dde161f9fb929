"""Several proofs of one request: all of them, or any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hooksd.auth.refusal import Refusal
from hooksd.auth.sources import Examined
from hooksd.auth.verdict import LATER, Reason


class Proof(Protocol):
    """One kind of proof."""

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the secret that fits. Raises Refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every proof must hold."""

    of: tuple[Proof, ...]

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the secret that fits the first proof.

        Raises:
            Refusal: A proof does not hold; the first of them says why.
        """
        first, *_ = [proof.prove(seen, now) for proof in self.of]
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """One proof must hold."""

    of: tuple[Proof, ...]

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the first proof that holds.

        Raises:
            Refusal: None holds. The one that came furthest says why: a proof that was tried says more than a missing
                one, and one that cannot be judged yet keeps the question open.
        """
        reasons: list[Reason] = []
        for place, proof in enumerate(self.of):
            try:
                proof.prove(seen, now)
            except Refusal as refusal:
                reasons.append(refusal.reason)
            else:
                return place
        raise Refusal(LATER if LATER in reasons else _telling(reasons))


def _telling(reasons: list[Reason]) -> Reason:
    return next((reason for reason in reasons if not reason.startswith("missing_")), reasons[0])
