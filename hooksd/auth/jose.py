"""JSON Web Tokens and key sets (RFC 7515, 7517, 7518). Stands on PyJWT; imported by `hooksd.auth.extra`.

PyJWT reads the compact form, makes keys and checks signatures. Which algorithm and which key are tried is decided here,
from the definition and never from the token alone; claims are checked by `hooksd.auth.claims`, which is given the time.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from jwt import PyJWS
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from hooksd.auth.claims import Claims
from hooksd.auth.refusal import Refusal
from hooksd.auth.remote import Remote
from hooksd.auth.sources import Examined, Find
from hooksd.model.auth import JwtAuth
from hooksd.model.base import Json
from hooksd.signature import equal

MAX_TOKEN = 16 * 1024
"""The longest token in bytes."""
MAX_KEYS = 64
"""The most keys of one set."""

_PARSER = PyJWS()
_ALGORITHMS: Mapping[str, Algorithm] = get_default_algorithms()
_KINDS = {"R": "RSA", "P": "RSA", "E": "EC"}
"""The kind of key of an algorithm, by its first letter; `EdDSA` is told apart."""

KeySet = Mapping[tuple[str, str | None], Any]
"""Keys by algorithm and `kid`; under None the key of that algorithm, if there is only one."""


def key_set(data: bytes, algorithms: tuple[str, ...]) -> KeySet:
    """Return the usable keys of a JWK set. Symmetric keys never are: who can read a set could sign with them.

    Args:
        data: The set as JSON.
        algorithms: Those that tokens may use.

    Raises:
        ValueError: It is no key set, or holds no key for any of the algorithms.
    """
    parsed = orjson.loads(data)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("this is no JSON Web Key Set")
    found: dict[tuple[str, str | None], Any] = {}
    for algorithm in algorithms:
        fit = [(jwk.get("kid"), key) for jwk in listed if (key := _key(jwk, algorithm)) is not None]
        found.update({(algorithm, kid): key for kid, key in fit if isinstance(kid, str)})
        if len(fit) == 1:
            found[algorithm, None] = fit[0][1]
    if not found:
        raise ValueError("the key set holds no key for the algorithms that are accepted")
    return found


def _key(jwk: Any, algorithm: str) -> Any:
    kind = "OKP" if algorithm == "EdDSA" else _KINDS.get(algorithm[0])
    if not isinstance(jwk, dict) or jwk.get("kty") != kind or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("alg", algorithm) != algorithm:
        return None
    known = _ALGORITHMS[algorithm]
    try:
        key = known.prepare_key(known.from_jwk(jwk))
    except (PyJWTError, ValueError, TypeError):
        return None
    is_public = not hasattr(key, "sign") and not known.check_key_length(key)
    return key if is_public else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """Knows the tokens of an issuer."""

    token: Find | None
    """Where the token is; None: `Authorization: Bearer`."""
    algorithms: tuple[str, ...]
    secrets: tuple[bytes, ...]
    """Of keyed hashes; none when the keys are public."""
    keys: Callable[[float], KeySet | None]
    """Returns the public keys at a time; None: there are none yet."""
    ask_again: Callable[[float], bool]
    """Asks for newer keys; tells whether they come."""
    claims: Claims

    def prove(self, seen: Examined, now: float) -> int:
        """Return the place of the secret that fits, 0 for public keys.

        Raises:
            Refusal: The token proves nothing.
        """
        token = self._token(seen)
        try:
            parsed = _PARSER.decode_complete(token, options={"verify_signature": False})
            said = orjson.loads(parsed["payload"])
        except (PyJWTError, ValueError, RecursionError):
            raise Refusal("malformed_token") from None
        header = parsed["header"]
        if not isinstance(said, dict):
            raise Refusal("malformed_token")
        algorithm = header.get("alg")
        if algorithm not in self.algorithms or "crit" in header or "b64" in header:
            raise Refusal("bad_algorithm")
        place = self._signed(token, algorithm, header.get("kid"), parsed["signature"], now)
        self.claims.check(said, now)
        self._body(said, seen.request.body)
        return place

    def _token(self, seen: Examined) -> bytes:
        if self.token is not None:
            token = self.token(seen)
        else:
            scheme, _, rest = (seen.header("authorization") or "").partition(" ")
            if scheme and scheme.lower() != "bearer":
                raise Refusal("bad_scheme")
            token = rest.strip(" ").encode("latin-1")
        if not token:
            raise Refusal("missing_token")
        if len(token) > MAX_TOKEN or token.count(b".") != 2 or b"=" in token:
            raise Refusal("malformed_token")
        return token

    def _signed(self, token: bytes, algorithm: str, kid: str | None, signature: bytes, now: float) -> int:
        message, known = token.rpartition(b".")[0], _ALGORITHMS[algorithm]
        if algorithm.startswith("HS"):
            fits = [place for place, key in enumerate(self.secrets) if known.verify(message, key, signature)]
            if not fits:
                raise Refusal("bad_signature")
            return fits[0]
        keys = self.keys(now)
        if keys is None:
            raise Refusal("keys_unavailable")
        key = keys.get((algorithm, kid))
        if key is None:
            # The issuer may have changed its keys since they were fetched.
            raise Refusal("keys_unavailable" if self.ask_again(now) else "unknown_key")
        if not _is_signed(known, message, key, signature):
            raise Refusal("bad_signature")
        return 0

    def _body(self, said: Mapping[str, Json], body: bytes) -> None:
        name = self.claims.auth.body_claim
        if name is None:
            return
        digest = hashlib.sha256(body)
        is_hex = self.claims.auth.body_claim_encoding == "hex"
        wanted = digest.hexdigest() if is_hex else base64.b64encode(digest.digest()).decode()
        found = said.get(name)
        if not isinstance(found, str) or not equal(found.encode(), wanted.encode()):
            raise Refusal("body_mismatch")


def _is_signed(known: Algorithm, message: bytes, key: Any, signature: bytes) -> bool:
    try:
        return known.verify(message, key, signature)
    except (PyJWTError, ValueError):
        return False


def jwt(
    auth: JwtAuth, *, token: Find | None, secrets: tuple[bytes, ...], remote: Remote[KeySet] | KeySet | None
) -> Jwt:
    """Build the proof of a `jwt`.

    Args:
        auth: The definition; `hooksd.auth.lint` found nothing in it.
        token: Where the token is; None: `Authorization: Bearer`.
        secrets: Of keyed hashes, in order.
        remote: Where the public keys are, or they themselves; None: there are only secrets.
    """
    keys: Callable[[float], KeySet | None] = remote.value if isinstance(remote, Remote) else lambda _: remote
    ask_again: Callable[[float], bool] = remote.ask_again if isinstance(remote, Remote) else lambda _: False
    return Jwt(
        token=token, algorithms=auth.algorithms, secrets=secrets, keys=keys, ask_again=ask_again,
        claims=Claims(auth=auth),
    )  # fmt: skip
