"""Sealing: standard keys, nonces that never repeat, pseudonyms that say nothing, lengths that tell little."""

import hmac
from binascii import a2b_base64
from hashlib import sha256

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from ebb.event_log.sealing import Sealer, nonces_of, secret_name, subject_key
from tests.fakes.prediction_events import SALT, SECRET

OPENED = b'{"id":"one"}'


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return what RFC 5869 says for one block, by the standard library alone."""
    return hmac.digest(hmac.digest(salt or bytes(32), secret, "sha256"), info + b"\x01", "sha256")[:length]


def _parts(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what is bound, the nonce and the sealed text of a line."""
    (text,) = orjson.loads(line)["sealed"]["texts"]
    sealed = a2b_base64(text)
    return line[: line.index(b',"texts"')], sealed[:12], sealed[12:]


def test_the_oracle_itself_keeps_the_vector_of_rfc_5869() -> None:
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    made = _hkdf(b"\x0b" * 22, salt, info, 32)
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


@given(st.binary(min_size=32, max_size=64), st.binary(min_size=16, max_size=16))
def test_keys_are_hkdf_sha256(secret: bytes, salt: bytes) -> None:
    assert subject_key(secret, salt) == _hkdf(secret, b"", b"ebb event subject 1" + salt, 32)
    assert secret_name(secret) == _hkdf(secret, b"", b"ebb event secret 1", 4).hex()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_pseudonym_is_half_an_hmac_under_a_key_of_its_own(entity_id: str) -> None:
    key = _hkdf(SECRET, b"", b"ebb event pseudonym 1", 32)
    made = Sealer(SECRET).pseudonym(entity_id)
    assert made == hmac.digest(key, entity_id.encode(), "sha256")[:16]


def test_pseudonyms_differ_by_entity_and_by_stage_and_stay() -> None:
    sealer = Sealer(SECRET)
    assert sealer.pseudonym("c-1") == sealer.pseudonym("c-1") == Sealer(SECRET).pseudonym("c-1")
    assert len({sealer.pseudonym("c-1"), sealer.pseudonym("c-2"), Sealer(SECRET[::-1]).pseudonym("c-1")}) == 3


@given(st.binary(max_size=2000).map(bytes.hex))
def test_what_is_sealed_opens_with_the_subject_s_key_and_only_where_it_belongs(text: str) -> None:
    personal = orjson.dumps({"text": text})
    bound, nonce, sealed = _parts(Sealer(SECRET).close([SALT], OPENED, [personal]))
    cipher = AESGCM(subject_key(SECRET, bytes.fromhex(SALT)))
    assert cipher.decrypt(nonce, sealed, bound) == personal
    assert bound == b'{"id":"one","sealed":{"by":"subject","secret":"%s"' % secret_name(SECRET).encode()
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, sealed, bound.replace(b"one", b"two"))


def test_a_line_is_one_json_object_without_a_newline() -> None:
    line = Sealer(SECRET).close([SALT], OPENED, [b"{}"])
    assert list(orjson.loads(line)) == ["id", "sealed"]
    assert list(orjson.loads(line)["sealed"]) == ["by", "secret", "texts"]
    assert b"\n" not in line


def test_a_nonce_never_repeats_and_the_same_content_never_looks_the_same() -> None:
    sealer = Sealer(SECRET)
    parts = [_parts(sealer.close([SALT], OPENED, [b"{}"])) for _ in range(10_000)]
    assert len({nonce for _, nonce, _ in parts}) == len({sealed for _, _, sealed in parts}) == 10_000


def test_without_a_salt_the_key_is_random_every_time_and_nobody_has_it() -> None:
    drawn = iter([b"k" * 32, b"n" * 12, b"K" * 32, b"N" * 12])
    sealer = Sealer(SECRET, lambda length: next(drawn)[:length])
    for key, nonce in ((b"k" * 32, b"n" * 12), (b"K" * 32, b"N" * 12)):
        bound, used, sealed = _parts(sealer.close([""], OPENED, [b'{"entity_id":"c-1"}']))
        assert b'"by":"none"' in bound
        assert used == nonce
        assert AESGCM(key).decrypt(nonce, sealed, bound).startswith(b'{"entity_id":"c-1"}')
    assert next(drawn, None) is None


def _several(line: bytes) -> tuple[bytes, int, list[bytes]]:
    """Return what is bound, the line's nonce as a number, and the sealed texts."""
    first, *others = (a2b_base64(text) for text in orjson.loads(line)["sealed"]["texts"])
    return line[: line.index(b',"texts"')], int.from_bytes(first[:12], "big"), [first[12:], *others]


def test_of_several_each_has_a_key_and_a_nonce_of_its_own_and_is_bound_to_its_place() -> None:
    salts, contents = [SALT, SALT[::-1], SALT], [b"one", b"two", b"three"]
    bound, nonce, sealed = _several(Sealer(SECRET).close(salts, OPENED, contents))
    digest = sha256(bound).digest()
    for row, (salt, text, content) in enumerate(zip(salts, sealed, contents, strict=True)):
        cipher, own = AESGCM(subject_key(SECRET, bytes.fromhex(salt))), (nonce ^ row).to_bytes(12, "big")
        assert cipher.decrypt(own, text, digest + row.to_bytes(4, "big")) == content
        for other in (digest + bytes([0, 0, 0, row + 1]), digest, bound):
            with pytest.raises(InvalidTag):
                cipher.decrypt(own, text, other)


@given(st.binary(min_size=12, max_size=12), st.integers(1, 300))
def test_no_two_nonces_of_a_line_are_the_same(nonce: bytes, events: int) -> None:
    """A subject may stand in a batch twice."""
    made = nonces_of(nonce, events)
    assert made[0] == nonce
    assert len(set(made)) == events
    assert {len(each) for each in made} == {12}


def test_of_several_without_a_salt_each_has_a_random_key() -> None:
    drawn = iter([b"k" * 32, b"K" * 32, b"n" * 12])
    line = Sealer(SECRET, lambda length: next(drawn)[:length]).close(["", ""], OPENED, [b"one", b"two"])
    bound, nonce, (one, two) = _several(line)
    digest = sha256(bound).digest()
    assert AESGCM(b"k" * 32).decrypt(b"n" * 12, one, digest + bytes(4)) == b"one"
    assert AESGCM(b"K" * 32).decrypt((nonce ^ 1).to_bytes(12, "big"), two, digest + bytes([0, 0, 0, 1])) == b"two"


@pytest.mark.parametrize("salt", ["canary", "00" * 15, "00" * 17, "zz" * 16])
def test_what_is_no_salt_is_refused_and_not_repeated(salt: str) -> None:
    with pytest.raises(Misuse, match=r"^A subject's salt is 32 hex digits") as refused:
        Sealer(SECRET).close([salt], OPENED, [b"{}"])
    assert salt not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(Misuse, match="at least 32 random bytes; this one has 31"):
        Sealer(SECRET[1:])
