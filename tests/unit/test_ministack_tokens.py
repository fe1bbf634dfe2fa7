"""Tokens that an emulator signs and verifies in plain Python, judged by the library that everybody uses."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from local.ministack.rsa import Key, _is_prime, verified
from local.ministack.tokens import Tokens, verify

KEY = Key.generate(1024)
PUBLIC = rsa.RSAPublicNumbers(KEY.exponent, KEY.modulus).public_key()
THEIRS = rsa.generate_private_key(65_537, 2048)
NUMBERS = THEIRS.public_key().public_numbers()


@given(st.binary())
def test_the_library_accepts_our_signatures(message: bytes) -> None:
    PUBLIC.verify(KEY.sign(message), message, padding.PKCS1v15(), SHA256())


@settings(max_examples=20)
@given(st.binary())
def test_we_accept_the_librarys(message: bytes) -> None:
    assert verified(message, THEIRS.sign(message, padding.PKCS1v15(), SHA256()), NUMBERS.n, NUMBERS.e)


@given(st.binary(max_size=200), st.integers(0, 1023))
def test_what_the_library_refuses_we_refuse(message: bytes, bit: int) -> None:
    signature = (int.from_bytes(KEY.sign(message)) ^ 1 << bit).to_bytes(128)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, message, padding.PKCS1v15(), SHA256())
    assert not verified(message, signature, KEY.modulus, KEY.exponent)
    assert not verified(message + b"x", KEY.sign(message), KEY.modulus, KEY.exponent)


@pytest.mark.parametrize("signature", [b"", b"\x00" * 128, b"\xff" * 128, b"\x01", KEY.sign(b"m") + b"\x00"])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    assert not verified(b"m", signature, KEY.modulus, KEY.exponent)


def test_a_key_too_small_for_a_hash_signs_nothing() -> None:
    assert not verified(b"m", b"\x00", 15, 3)


def test_a_key_has_the_size_that_was_asked_for() -> None:
    assert KEY.modulus.bit_length() == 1024
    assert Key.generate(512).modulus.bit_length() == 512
    assert Key.generate(512) != Key.generate(512)


def test_primes() -> None:
    assert all(_is_prime(number) for number in (5, 7, 2_147_483_647, 2**127 - 1))
    assert not any(_is_prime(number) for number in (9, 561, 41_041, 2**127 + 1, 3_215_031_751))


def services(key: object = None) -> tuple[Any, Any]:
    """Return modules as MiniStack has them, without the library."""
    cognito = SimpleNamespace(_RSA_PRIVATE_KEY=key, _signed_jwt="own", well_known_jwks="own")
    return cognito, SimpleNamespace(_verify_rs256_signature="own")


def published() -> tuple[Any, dict[str, Any]]:
    cognito, gateway = services()
    Tokens(cognito, gateway).install()
    status, headers, body = cognito.well_known_jwks("pool")
    assert (status, headers) == (200, {"Content-Type": "application/json"})
    (key,) = json.loads(body)["keys"]
    assert gateway._verify_rs256_signature is verify
    return cognito, key


def test_a_token_is_one_by_the_published_key() -> None:
    cognito, key = published()
    token = cognito._signed_jwt({"sub": "s", "scope": "ebb/predict"}, "pool", "access")
    head, claims, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "RS256", "kid": key["kid"]}
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {"sub": "s", "scope": "ebb/predict"}
    numbers = [int.from_bytes(base64.urlsafe_b64decode(key[part] + "==")) for part in ("e", "n")]
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    assert public.key_size == 2048
    signed = f"{head}.{claims}".encode()
    public.verify(base64.urlsafe_b64decode(signature + "=="), signed, padding.PKCS1v15(), SHA256())
    assert verify(token, key)
    for bad in (
        "",
        "a.b",
        "a.b.c.d",
        f"{head}.{claims}.",
        f"{head}.{claims}.é",
        f"{head}.{head}.{signature}",
        f"{head}.{claims}.{signature[:-6]}AAAAAA",
    ):
        assert not verify(bad, key), bad
    assert not verify(token, {})
    assert not verify(token, {"n": 1, "e": 2})
    assert not verify(token, {"n": "AQAB", "e": "AQAB"})


def test_where_the_library_is_nothing_is_changed() -> None:
    cognito, gateway = services(key=object())
    Tokens(cognito, gateway).install()
    assert (cognito._signed_jwt, cognito.well_known_jwks, gateway._verify_rs256_signature) == ("own",) * 3
