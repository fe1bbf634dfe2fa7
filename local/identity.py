"""The identity provider of this machine: a key pair of its own, its public key set, and the tokens it signs."""

import base64
import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ebb.errors import Misuse, Unavailable
from ebb.synced import write_synced

_BITS = 2048
_FILE = "identity.pem"
JWKS_PATH = "/.well-known/jwks.json"
CONFIGURATION_PATH = "/.well-known/openid-configuration"


def _create(target: Path) -> None:
    """Write a new key beside `target` and move it there, unless another process was first."""
    pem = rsa.generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        write_synced(temporary, pem, 0o600)
        # A link fails where a rename would replace the key that another process has just made.
        with suppress(FileExistsError):
            os.link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _thumbprint(public: dict[str, Any]) -> str:
    """Return the key's id: its RFC 7638 thumbprint."""
    document = orjson.dumps({name: public[name] for name in ("e", "kty", "n")}, option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.sha256(document).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Identity:
    """A key pair that signs tokens.

    Attributes:
        key: the private key.
        kid: the key's id.
    """

    key: rsa.RSAPrivateKey
    kid: str

    @classmethod
    def load_or_create(cls, folder: Path) -> "Identity":
        """Return the identity kept in a state folder; the first call makes it (file mode 0600).

        Raises:
            Misuse: the file there is not a key of this kind.
            Unavailable: the key cannot be kept there, or not be read.
        """
        path = folder / _FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _create(path)
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            content = path.read_bytes()
        except OSError as error:
            raise Unavailable(
                f"The key {path} cannot be kept ({error.strerror}); make room or name another folder with EBB_HOME."
            ) from error
        try:
            key = serialization.load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Misuse(
                f"{path} is not a private key; delete it to get a new one (tokens minted so far end)"
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Misuse(f"{path} is not an RSA key; delete it to get a new one (tokens minted so far end)")
        return cls(key, _thumbprint(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)))

    def jwks(self) -> dict[str, Any]:
        """Return the public key set (RFC 7517)."""
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, **_only(public, "n", "e")}]}

    def documents(self, issuer: str) -> dict[str, bytes]:
        """Return what an OpenID provider publishes, by path, for the issuer at this URL."""
        configuration = {
            "issuer": issuer,
            "jwks_uri": issuer.rstrip("/") + JWKS_PATH,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {JWKS_PATH: orjson.dumps(self.jwks()), CONFIGURATION_PATH: orjson.dumps(configuration)}

    def mint(self, client: str, scopes: Iterable[str], minutes: float, issuer: str, audience: str) -> str:
        """Return a signed token (RS256).

        Args:
            client: the client's name; becomes `sub` and `client_id`.
            scopes: what it may do.
            minutes: how long it is valid from now.
            issuer: `iss`.
            audience: `aud`.

        Raises:
            Misuse: no client, or a token that would never be valid.
        """
        if not client or minutes <= 0:
            raise Misuse("a token needs a client's name and more than 0 minutes")
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": audience,
            "sub": client,
            "client_id": client,
            "scope": " ".join(scopes),
            "iat": now,
            "nbf": now,
            "exp": now + max(1, round(minutes * 60)),
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self.key, "RS256", headers={"kid": self.kid})


def _only(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names}
