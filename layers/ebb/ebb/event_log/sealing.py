"""Sealing: what is personal in an event, encrypted under a key of its subject.

The key of a subject is HKDF-SHA256 (RFC 5869) of the stage secret, with the subject's own random salt in its `info`, so
that the first of HKDF's two steps is done once for all. The salt lies with the subject's features and is deleted with
them: whoever holds the secret afterwards cannot derive the key again.
The cipher is AES-256-GCM with a random 96-bit nonce a line (NIST SP 800-38D, 8.2.2: good for 2^32 events a subject).
"""

import hmac
import os
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from ebb.errors import Misuse
from ebb.event_log.secret import SHORTEST

NONCE = 12
"""Bytes of a nonce; they stand before the first sealed text of a line."""

PSEUDONYM = 16
"""Bytes of a pseudonym."""

BY_SUBJECT, BY_NONE = "subject", "none"
"""Whose key closed an event: its subject's, or one that was thrown away because no subject has a salt."""

_SUBJECT, _PSEUDONYM, _SECRET = b"ebb event subject 1", b"ebb event pseudonym 1", b"ebb event secret 1"
_SALT = 16
_SHA256 = SHA256()


def subject_key(secret: bytes, salt: bytes) -> bytes:
    """Return the key of the subject with this salt, 32 bytes."""
    return HKDFExpand(_SHA256, 32, _SUBJECT + salt).derive(_extracted(secret))


def _extracted(secret: bytes) -> bytes:
    """Do HKDF's first step, once for all subjects."""
    return hmac.digest(bytes(_SHA256.digest_size), secret, "sha256")


def secret_name(secret: bytes) -> str:
    """Return what a stage secret is called in events, 8 hex digits: a reader must know which one to take."""
    return HKDF(_SHA256, 4, None, _SECRET).derive(secret).hex()


class Sealer:
    """Closes events.

    Args:
        secret: the stage secret, at least 32 bytes.
        random: returns so many random bytes; the operating system's unless a test needs the same ones again.

    Raises:
        Misuse: the secret is too short.
    """

    def __init__(self, secret: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        if len(secret) < SHORTEST:
            raise Misuse(f"A stage secret has at least {SHORTEST} random bytes; this one has {len(secret)}.")
        self._random = random
        self._subjects = hmac.new(_extracted(secret), _SUBJECT, "sha256")
        self._pseudonyms = hmac.new(HKDF(_SHA256, 32, None, _PSEUDONYM).derive(secret), digestmod="sha256")
        by = ',"sealed":{{"by":"{}","secret":"{}"'
        self._by_subject = by.format(BY_SUBJECT, secret_name(secret)).encode()
        self._by_none = by.format(BY_NONE, secret_name(secret)).encode()

    def pseudonym(self, entity_id: str) -> bytes:
        """Return what stands for an entity in events, 16 bytes: the same in every event of a stage."""
        made = self._pseudonyms.copy()
        made.update(entity_id.encode())
        return made.digest()[:PSEUDONYM]

    def close(self, salts: Sequence[str], opened: bytes, contents: Sequence[bytes]) -> bytes:
        """Return a finished line: what is open, with what is personal sealed into it.

        Args:
            salts: each subject's, 32 hex digits; where the first is empty all are, and each key is a random one that
                nobody keeps.
            opened: a JSON object; every byte of it is bound to all that is sealed, so that neither fits anything else.
            contents: what is personal of each, filled up.

        Raises:
            Misuse: a salt is none.
        """
        by = self._by_subject if salts[0] else self._by_none
        keys = [self._key(salt) if salt else self._random(32) for salt in salts]
        bound = opened[:-1] + by
        nonce = self._random(NONCE)
        if len(keys) == 1:
            return finished(bound, nonce, [AESGCM(keys[0]).encrypt(nonce, contents[0], bound)])
        rows = zip(keys, nonces_of(nonce, len(keys)), contents, bound_to(bound, len(keys)), strict=True)
        return finished(bound, nonce, [AESGCM(key).encrypt(own, text, place) for key, own, text, place in rows])

    def _key(self, salt: str) -> bytes:
        """Return a subject's key: HKDF's second step is one HMAC for so short a key; see `subject_key`."""
        made = self._subjects.copy()
        made.update(_salt_bytes(salt) + b"\x01")
        return made.digest()


def bound_to(bound: bytes, events: int) -> Sequence[bytes]:
    """Return what each sealed content is bound to: what is open in its line; of several its digest, and the place."""
    if events == 1:
        return [bound]
    digest = sha256(bound).digest()
    return [digest + row.to_bytes(4, "big") for row in range(events)]


def nonces_of(nonce: bytes, events: int) -> Sequence[bytes]:
    """Return the nonce of each event of a line: the line's own, with the event's place there XORed into its end.

    Of one line they differ, so a subject may stand in it twice. Of two lines they are as random as the lines' own are.
    """
    if events == 1:
        return [nonce]
    number = int.from_bytes(nonce, "big")
    return [(number ^ row).to_bytes(NONCE, "big") for row in range(events)]


def finished(bound: bytes, nonce: bytes, sealed: Sequence[bytes]) -> bytes:
    """Return a line: what is bound, then the nonce with the first sealed content, and the others, in base64."""
    texts = b2a_base64(nonce + sealed[0], newline=False)
    if len(sealed) > 1:
        texts = b'","'.join((texts, *[b2a_base64(each, newline=False) for each in sealed[1:]]))
    return b'%b,"texts":["%b"]}}' % (bound, texts)


def _salt_bytes(salt: str) -> bytes:
    try:
        made = bytes.fromhex(salt)
    except ValueError:
        made = b""
    if len(made) != _SALT:
        raise Misuse("A subject's salt is 32 hex digits, and the one that is held is none: write its features anew.")
    return made
