"""The JWT authorizer of the gateway: who may pass, remembered by token."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from ebb.errors import Misuse
from local.gateway.claims import as_strings, scopes_of

_REMEMBERED = 4_096
# The algorithm follows from the key and never from the token, so no token can choose how it is checked.
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
_EXPIRED = "the token has expired"
_CHALLENGE = 'Bearer scope="" error="invalid_token" error_description="{}"'


class Unauthorized(Exception):
    """The token is missing or not valid.

    Attributes:
        challenge: the value of www-authenticate.
    """

    def __init__(self, description: str = "") -> None:
        super().__init__(description or "no token")
        self.challenge = _CHALLENGE.format(description) if description else "Bearer"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid token grants.

    Attributes:
        expires: Unix time from which it is not valid any more.
        scopes: the scopes it carries.
        context: the event's `requestContext.authorizer`, as JSON.
    """

    expires: float
    scopes: frozenset[str]
    context: orjson.Fragment


def _keys(jwks: Mapping[str, Any]) -> dict[str, tuple[jwt.PyJWK, str]]:
    keys = {}
    for document in jwks.get("keys", ()):
        algorithm = _ALGORITHMS.get((document.get("kty"), document.get("crv")))
        if algorithm and isinstance(document.get("kid"), str) and document.get("alg", algorithm) == algorithm:
            keys[document["kid"]] = (jwt.PyJWK(document, algorithm), algorithm)
    return keys


class Authorizer:
    """Verifies tokens as an HTTP API's JWT authorizer does: RS256 and ES256, no leeway.

    Args:
        jwks: the issuer's keys (RFC 7517); keys without `kid` or of another algorithm are left out.
        issuer: what `iss` must be.
        audience: what `aud` must be or hold; `client_id` counts only in a token without `aud`.

    Raises:
        Misuse: the set holds no key that can be used.
    """

    def __init__(self, jwks: Mapping[str, Any], issuer: str, audience: str) -> None:
        self.keys = _keys(jwks)
        if not self.keys:
            raise Misuse("the key set holds no RSA or P-256 key with a kid, so no token could ever be verified")
        self.issuer = issuer
        self.audience = audience
        self.remembered: dict[str, Grant] = {}

    def check(self, header: str | None) -> Grant:
        """Return what the token of an authorization header grants; a token seen before costs a look-up.

        Args:
            header: "Bearer TOKEN" or, as AWS allows, the token alone.

        Raises:
            Unauthorized: no token, or one that is not valid now.
        """
        if not header:
            raise Unauthorized
        grant = self.remembered.get(header)
        if grant is None:
            return self._remember(header, self._verify(header))
        if grant.expires <= time.time():
            del self.remembered[header]
            raise Unauthorized(_EXPIRED)
        return grant

    def _remember(self, header: str, grant: Grant) -> Grant:
        if len(self.remembered) >= _REMEMBERED:
            del self.remembered[next(iter(self.remembered))]
        self.remembered[header] = grant
        return grant

    def _verify(self, header: str) -> Grant:
        scheme, _, rest = header.partition(" ")
        token = rest.strip() if rest and scheme.lower() == "bearer" else header
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key, algorithm = self.keys[str(kid)]
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self.issuer,
                options={"require": ["exp", "iss"], "verify_aud": False},
            )
        except KeyError as error:
            raise Unauthorized("the token was signed with an unknown key") from error
        except jwt.PyJWTError as error:
            raise Unauthorized(_describe(error)) from error
        if not self._meant_for_us(claims):
            raise Unauthorized("the token does not have a valid audience")
        try:
            granted = orjson.dumps({"jwt": {"claims": as_strings(claims), "scopes": None}})
            return Grant(float(claims["exp"]), scopes_of(claims), orjson.Fragment(granted))
        except (TypeError, OverflowError, RecursionError) as error:
            # Whole numbers over 64 bits, half a surrogate pair, a thousand brackets: no event could carry them.
            raise Unauthorized(_describe(jwt.DecodeError())) from error

    def _meant_for_us(self, claims: Mapping[str, Any]) -> bool:
        audience = claims.get("aud")
        if audience is None:
            return bool(claims.get("client_id") == self.audience)
        return self.audience in audience if isinstance(audience, list) else bool(audience == self.audience)


_DESCRIPTIONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, _EXPIRED),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidIssuerError, "the token does not have a valid issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks a required claim"),
    (jwt.InvalidAlgorithmError, "the token was signed with an algorithm that is not allowed"),
    (jwt.InvalidSignatureError, "the token's signature is not valid"),
)


def _describe(error: jwt.PyJWTError) -> str:
    """Return fixed words for a failure: nothing of the token itself goes back."""
    return next((words for kind, words in _DESCRIPTIONS if isinstance(error, kind)), "unable to decode")
