"""What the claims of a token must say (RFC 7519), once its signature holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hooksd.auth.refusal import Refusal
from hooksd.auth.verdict import Reason
from hooksd.model.auth import JwtAuth
from hooksd.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is asked of the claims."""

    auth: JwtAuth

    def check(self, claims: Mapping[str, Json], now: float) -> None:
        """Let claims pass that say what they must.

        Args:
            claims: All of a token, its signature checked.
            now: Unix time in seconds.

        Raises:
            Refusal: The token is not for now, not by whom or for whom it must be, or says something else.
        """
        self._times(claims, now)
        auth = self.auth
        if auth.issuers and not _is_one_of(claims.get("iss"), auth.issuers):
            raise Refusal("bad_issuer")
        if auth.audience and not any(_is_one_of(name, auth.audience) for name in _audiences(claims.get("aud"))):
            raise Refusal("bad_audience")
        for name, wanted in auth.claims.items():
            options = wanted if isinstance(wanted, tuple) else (wanted,)
            if not _is_one_of(claims.get(name), options):
                raise Refusal("bad_claim")

    def _times(self, claims: Mapping[str, Json], now: float) -> None:
        leeway = self.auth.leeway
        expires, begins = _moment(claims, "exp", "expired"), _moment(claims, "nbf", "not_yet_valid")
        issued = _moment(claims, "iat", "not_yet_valid")
        if expires is None and self.auth.require_exp:
            raise Refusal("expired")
        if expires is not None and now >= expires + leeway:
            raise Refusal("expired")
        if any(moment is not None and now < moment - leeway for moment in (begins, issued)):
            raise Refusal("not_yet_valid")
        if self.auth.max_age is not None and (issued is None or now > issued + self.auth.max_age + leeway):
            raise Refusal("expired")


def _moment(claims: Mapping[str, Json], name: str, reason: Reason) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    # In Python `True` is a number; JSON says otherwise. A number too large for a float is no time either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise Refusal(reason)
    return float(value)


def _audiences(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _is_one_of(value: Json, options: tuple[str | int | bool, ...]) -> bool:
    return any(type(value) is type(option) and value == option for option in options)
