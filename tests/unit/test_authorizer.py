"""Which tokens pass the gateway, and which do not."""

import base64
import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from local.gateway import authorizer as module
from local.gateway.authorizer import Authorizer, Unauthorized
from local.gateway.claims import as_strings, scopes_of
from local.identity import Identity

ISSUER = "http://127.0.0.1/issuer"
Mint = Callable[..., str]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.load_or_create(tmp_path_factory.mktemp("state"))


@pytest.fixture
def gate(identity: Identity) -> Authorizer:
    return Authorizer(identity.jwks(), ISSUER, "ebb")


@pytest.fixture
def mint(identity: Identity) -> Mint:
    def sign(*, kid: str = identity.kid, drop: str = "", **claims: Any) -> str:
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": "ebb", "sub": "s", "iat": now, "nbf": now, "exp": now + 60} | claims
        payload.pop(drop, None)
        return jwt.encode(payload, identity.key, "RS256", headers={"kid": kid})

    return sign


def refused(gate: Authorizer, header: str | None) -> str:
    with pytest.raises(Unauthorized) as raised:
        gate.check(header)
    assert not gate.remembered
    return raised.value.challenge


def encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(document)).rstrip(b"=").decode()


def test_a_minted_token_passes_and_its_claims_are_strings(gate: Authorizer, identity: Identity) -> None:
    grant = gate.check(f"Bearer {identity.mint('a-client', ['predict', 'write'], 5, ISSUER, 'ebb')}")
    claims = orjson.loads(orjson.dumps(grant.context))["jwt"]["claims"]
    assert grant.scopes == {"predict", "write"}
    assert claims["client_id"] == "a-client"
    assert claims["exp"] == str(int(grant.expires))
    assert orjson.loads(orjson.dumps(grant.context))["jwt"]["scopes"] is None


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "{}"])
def test_the_scheme_may_be_left_out_as_on_aws(gate: Authorizer, mint: Mint, form: str) -> None:
    assert gate.check(form.format(mint())).expires > time.time()


@pytest.mark.parametrize("header", [None, ""])
def test_without_a_token_the_challenge_is_bare(gate: Authorizer, header: str | None) -> None:
    assert refused(gate, header) == "Bearer"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": 1_500_000_000}, "the token has expired"),
        ({"exp": int(time.time()) - 1}, "the token has expired"),
        ({"nbf": 4_000_000_000}, "the token is not valid yet"),
        ({"iat": 4_000_000_000}, "the token is not valid yet"),
        ({"iss": "http://evil.test"}, "the token does not have a valid issuer"),
        ({"aud": "other"}, "the token does not have a valid audience"),
        ({"aud": ["other", "another"]}, "the token does not have a valid audience"),
        ({"aud": "other", "client_id": "ebb"}, "the token does not have a valid audience"),
        ({"drop": "aud"}, "the token does not have a valid audience"),
        ({"drop": "exp"}, "the token lacks a required claim"),
        ({"drop": "iss"}, "the token lacks a required claim"),
        ({"exp": "soon"}, "unable to decode"),
        ({"kid": "another"}, "the token was signed with an unknown key"),
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(
    gate: Authorizer, mint: Mint, claims: dict[str, Any], words: str
) -> None:
    challenge = refused(gate, f"Bearer {mint(**claims)}")
    assert challenge == f'Bearer scope="" error="invalid_token" error_description="{words}"'


@pytest.mark.parametrize("claims", [{"aud": ["x", "ebb"]}, {"drop": "aud", "client_id": "ebb"}])
def test_the_audience_may_be_one_of_several_or_else_the_client(
    gate: Authorizer, mint: Mint, claims: dict[str, Any]
) -> None:
    assert gate.check(mint(**claims))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_alg_none_is_refused(gate: Authorizer, identity: Identity, mint: Mint, algorithm: str) -> None:
    payload = mint().split(".")[1]
    header = encoded({"alg": algorithm, "typ": "JWT", "kid": identity.kid})
    refused(gate, f"Bearer {header}.{payload}.")


@pytest.mark.parametrize("form", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_the_public_key_is_no_hmac_secret(
    gate: Authorizer, identity: Identity, mint: Mint, form: serialization.Encoding
) -> None:
    public = identity.key.public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': identity.kid})}.{mint().split('.')[1]}"
    digest = base64.urlsafe_b64encode(hmac.new(public, signed.encode(), sha256).digest()).rstrip(b"=").decode()
    assert "algorithm that is not allowed" in refused(gate, f"Bearer {signed}.{digest}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_other_algorithms_of_the_same_key_are_refused(gate: Authorizer, identity: Identity, algorithm: str) -> None:
    now = int(time.time())
    token = jwt.encode(
        {"iss": ISSUER, "aud": "ebb", "exp": now + 60}, identity.key, algorithm, headers={"kid": identity.kid}
    )
    assert "algorithm that is not allowed" in refused(gate, token)


def test_a_tampered_payload_or_signature_is_refused(gate: Authorizer, mint: Mint) -> None:
    head, payload, signature = mint().split(".")
    other = mint(sub="somebody-else").split(".")
    assert "signature is not valid" in refused(gate, f"Bearer {head}.{other[1]}.{signature}")
    assert "signature is not valid" in refused(gate, f"Bearer {head}.{payload}.{other[2]}")


@given(header=st.text(st.characters(max_codepoint=255), min_size=1, max_size=80))
def test_nothing_random_passes_or_breaks_it(identity: Identity, header: str) -> None:
    refused(Authorizer(identity.jwks(), ISSUER, "ebb"), header)


def test_a_token_seen_before_is_not_verified_again(
    gate: Authorizer, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = f"Bearer {mint()}"
    grant = gate.check(header)
    monkeypatch.setattr(gate, "keys", {})
    assert gate.check(header) is grant
    refused_now = Authorizer.check
    with pytest.raises(Unauthorized):
        refused_now(gate, f"Bearer {mint(jti='other')}")


def test_a_remembered_token_is_refused_once_it_has_expired(
    gate: Authorizer, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = f"Bearer {mint()}"
    expires = gate.check(header).expires
    monkeypatch.setattr(time, "time", lambda: expires - 0.001)
    assert gate.check(header)
    monkeypatch.setattr(time, "time", lambda: expires)
    assert "the token has expired" in refused(gate, header)


def test_only_so_many_tokens_are_remembered(gate: Authorizer, mint: Mint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    headers = [mint(jti=str(number)) for number in range(3)]
    for header in headers:
        gate.check(header)
    assert list(gate.remembered) == headers[1:]


def test_es256_passes_with_a_key_of_its_own() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    document = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "e"}
    gate = Authorizer({"keys": [document]}, ISSUER, "ebb")
    claims = {"iss": ISSUER, "aud": "ebb", "exp": int(time.time()) + 60}
    assert gate.check(jwt.encode(claims, key, "ES256", headers={"kid": "e"}))


@pytest.mark.parametrize(
    "keys", [[], [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}], [{"kty": "RSA", "n": "x", "e": "x"}]]
)
def test_a_key_set_without_a_usable_key_is_refused(keys: list[dict[str, str]]) -> None:
    with pytest.raises(Misuse, match="no RSA or P-256 key"):
        Authorizer({"keys": keys}, ISSUER, "ebb")


def test_claims_are_written_as_aws_writes_them() -> None:
    claims = {"a": "x", "n": 1, "f": 1.5, "b": True, "l": ["p", "q", 2], "o": {"k": 1}, "z": None}
    assert as_strings(claims) == {
        "a": "x",
        "n": "1",
        "f": "1.5",
        "b": "true",
        "l": "[p q 2]",
        "o": '{"k":1}',
        "z": "null",
    }


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scp": ["a", "b", 3]}, {"a", "b"}),
        ({"scp": "a"}, {"a"}),
        ({"scope": ""}, set()),
        ({"scope": 7}, set()),
        ({}, set()),
    ],
)
def test_scopes_are_read_from_either_claim(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(claims) == scopes


def test_the_key_set_file_is_not_needed(tmp_path: Path) -> None:
    other = Identity.load_or_create(tmp_path)
    gate = Authorizer(other.jwks(), ISSUER, "ebb")
    assert gate.check(other.mint("c", [], 1, ISSUER, "ebb")).scopes == frozenset()
