"""Tokens that choose how they are checked, or carry what no token should: refused in fixed words, never a 500."""

import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.gateway.authorizer import Authorizer, Unauthorized
from local.identity import Identity
from tests.security.conftest import ISSUER, Gate, request

SECRET = "Ada Lovelace"


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(**changes: Any) -> bytes:
    known = {"iss": ISSUER, "aud": "ebb", "sub": SECRET, "exp": int(time.time()) + 60, "scope": "predict"}
    return json.dumps(known | changes).encode()


def signed(identity: Identity, payload: bytes, **header: Any) -> str:
    head = json.dumps({"alg": "RS256", "kid": identity.kid} | header).encode()
    content = f"{b64(head)}.{b64(payload)}"
    return f"{content}.{b64(identity.key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture
def authorizer(identity: Identity) -> Authorizer:
    return Authorizer(identity.jwks(), ISSUER, "ebb")


def refusal(authorizer: Authorizer, header: str) -> str:
    with pytest.raises(Unauthorized) as raised:
        authorizer.check(header)
    assert not authorizer.remembered
    assert SECRET not in str(raised.value) + raised.value.challenge
    return str(raised.value)


def test_the_plain_token_of_these_tests_passes(authorizer: Authorizer, identity: Identity) -> None:
    assert authorizer.check(f"Bearer {signed(identity, claims())}").scopes == {"predict"}


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": -1},
        {"exp": True},
        {"exp": None},
        {"exp": [2_000_000_000]},
        {"exp": {}},
        {"exp": "soon"},
        {"exp": 10**400},
        {"nbf": float("inf")},
        {"nbf": 4_000_000_000},
        {"iat": float("inf")},
        {"aud": None},
        {"aud": [["ebb"]]},
        {"aud": {"ebb": 1}},
        {"aud": [], "client_id": "ebb"},
        {"iss": [ISSUER]},
        {"iss": ISSUER + "/"},
        {"sub": 5},
        {"x": 2**70},
        {"x": "\ud800"},
        {"x": ["\ud800"]},
        {"\ud800": 1},
    ],
    ids=repr,
)
def test_odd_claims_of_a_good_key_are_refused(authorizer: Authorizer, identity: Identity, changes: Any) -> None:
    refusal(authorizer, f"Bearer {signed(identity, claims(**changes))}")


@pytest.mark.parametrize("inner", [b"[" * 900 + b"]" * 900, b'{"a":' * 400 + b"1" + b"}" * 400, b"1" * 5_000])
def test_nested_and_endless_claims_are_refused(authorizer: Authorizer, identity: Identity, inner: bytes) -> None:
    payload = claims()[:-1] + b',"x":' + inner + b"}"
    assert refusal(authorizer, f"Bearer {signed(identity, payload)}") == "unable to decode"


@pytest.mark.parametrize("scope", [None, 1, {"predict": 1}, [], [None, 5], ["predict ", {"predict": 1}], "\tPREDICT"])
def test_no_odd_scope_grants_one(authorizer: Authorizer, identity: Identity, scope: Any) -> None:
    assert "predict" not in authorizer.check(f"Bearer {signed(identity, claims(scope=scope))}").scopes


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../dev/null"},
        {"kid": "' or 1=1 --"},
        {"kid": 1},
        {"kid": ["x"]},
        {"kid": None},
        {"alg": "none"},
        {"alg": "NONE"},
        {"alg": "rs256"},
        {"alg": "PS256"},
        {"alg": ["RS256"]},
        {"alg": {"RS256": 1}},
        {"alg": 1},
        {"crit": ["x"]},
        {"crit": ["b64"], "b64": False},
    ],
    ids=repr,
)
def test_odd_headers_are_refused(authorizer: Authorizer, identity: Identity, header: Any) -> None:
    refusal(authorizer, f"Bearer {signed(identity, claims(), **header)}")


def test_keys_that_a_token_brings_or_names_are_never_used(authorizer: Authorizer, identity: Identity) -> None:
    other = Identity(rsa.generate_private_key(public_exponent=65537, key_size=2048), identity.kid)
    bring = {"jwk": other.jwks()["keys"][0], "jku": "http://127.0.0.1:9/jwks", "x5u": "http://127.0.0.1:9/x5u"}
    assert refusal(authorizer, f"Bearer {signed(other, claims(), **bring)}") == "the token's signature is not valid"


def test_the_public_key_is_no_shared_secret(authorizer: Authorizer, identity: Identity) -> None:
    public = identity.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = f"{b64(json.dumps({'alg': 'HS256', 'kid': identity.kid}).encode())}.{b64(claims())}"
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(content.encode())
    refusal(authorizer, f"Bearer {content}.{b64(mac.finalize())}")


def test_an_expired_token_ends_also_when_it_is_remembered(
    authorizer: Authorizer, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = f"Bearer {signed(identity, claims())}"
    grant = authorizer.check(token)
    monkeypatch.setattr(time, "time", lambda: grant.expires - 0.001)
    assert authorizer.check(token) is grant
    monkeypatch.setattr(time, "time", lambda: grant.expires)
    assert refusal(authorizer, token) == "the token has expired"


def test_what_is_remembered_is_bounded(
    authorizer: Authorizer, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.gateway.authorizer._REMEMBERED", 3)
    tokens = [f"Bearer {signed(identity, claims(jti=str(number)))}" for number in range(5)]
    for token in tokens:
        authorizer.check(token)
    assert list(authorizer.remembered) == tokens[2:]


@pytest.mark.parametrize("form", ["Bearer {0} x", " Bearer {0}", "Bearer\t{0}", "Bearer {0},Bearer {0}", "Basic {0}"])
def test_only_one_form_of_the_header_carries_a_token(authorizer: Authorizer, identity: Identity, form: str) -> None:
    refusal(authorizer, form.format(signed(identity, claims())))


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "." * 9_000, "Bearer " + b64(b"[" * 6_000) + ".e30.x", "\xff\xfe.\x80.x", "a.b.c"]
)
def test_noise_over_the_wire_is_a_401(gate: Gate, value: str) -> None:
    assert gate.send(request("GET /closed", f"authorization: {value}")) == [401]
    assert not gate.teller.events


def test_two_authorization_headers_are_none(gate: Gate) -> None:
    line = f"authorization: Bearer {signed(gate.identity, claims())}"
    assert gate.send(request("GET /closed", line)) == [200]
    assert gate.send(request("GET /closed", line, line)) == [401]
