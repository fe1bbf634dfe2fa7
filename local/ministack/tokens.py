"""Tokens that MiniStack 1.5.33 signs, and whose signatures its HTTP APIs verify, without the package `cryptography`.

Without that package its Cognito writes random bytes where a signature stands, and its JWT authorizer refuses every
token. Where the package is there, nothing is changed.
"""

# ruff: noqa: SLF001 - what is added to an emulator reaches into it

import base64
import hashlib
import json
from functools import cached_property
from typing import Any

from local.ministack.rsa import Key, verified

_JSON = dict[str, Any]
_PARTS = 3


class Tokens:
    """Stands in front of what signs in `ministack.services.cognito` and what verifies in its `apigateway`.

    Args:
        cognito: that module.
        gateway: that module.
    """

    def __init__(self, cognito: Any, gateway: Any) -> None:
        self._cognito, self._gateway = cognito, gateway

    def install(self) -> None:
        """Take their places, unless they can do it."""
        if self._cognito._RSA_PRIVATE_KEY is None:
            self._cognito._signed_jwt, self._cognito.well_known_jwks = self.sign, self.published
            self._gateway._verify_rs256_signature = verify

    @cached_property
    def _key(self) -> Key:
        return Key.generate()

    @cached_property
    def public(self) -> _JSON:
        """The public part of the key, which all pools share (RFC 7517)."""
        number, exponent = (_text(value.to_bytes((value.bit_length() + 7) // 8)) for value in _both(self._key))
        name = hashlib.sha256(number.encode()).hexdigest()[:16]
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": name, "n": number, "e": exponent}

    def sign(self, claims: _JSON, pool_id: str = "", use: str = "") -> str:
        """Return a token; MiniStack names the pool and the use, which have no keys of their own here."""
        del pool_id, use
        header = {"alg": "RS256", "kid": self.public["kid"]}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_text(self._key.sign(signed.encode()))}"

    def published(self, pool_id: str) -> tuple[int, dict[str, str], bytes]:
        """Return what a pool answers whoever asks for its keys."""
        del pool_id
        return 200, {"Content-Type": "application/json"}, json.dumps({"keys": [self.public]}).encode()


def verify(token: str, jwk: _JSON) -> bool:
    """Tell whether a token's signature is by a published key."""
    signed, _, signature = token.rpartition(".")
    if token.count(".") != _PARTS - 1:
        return False
    try:
        numbers = [int.from_bytes(_bytes(jwk[part])) for part in ("n", "e")]
        return verified(signed.encode(), _bytes(signature), *numbers)
    except (KeyError, TypeError, ValueError):
        return False


def _both(key: Key) -> tuple[int, int]:
    return key.modulus, key.exponent


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
