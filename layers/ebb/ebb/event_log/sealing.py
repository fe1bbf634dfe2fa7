"""Sealing: what is personal in an event, encrypted under a key of its subject.

The key of a subject is HKDF-SHA256 (RFC 5869) of the stage secret, with the subject's own random salt in its `info`, so
that the first of HKDF's two steps is done once for all. The salt lies with the subject's features and is deleted with
them: whoever holds the secret afterwards cannot derive the key again.
The cipher is AES-256-GCM with a random 96-bit nonce an event (NIST SP 800-38D, 8.2.2: good for 2^32 events a subject).
"""

import hmac
import os
from binascii import b2a_base64
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from ebb.errors import Misuse
from ebb.event_log.secret import SHORTEST

NONCE = 12
"""Bytes of a nonce; they stand before the sealed text."""

BLOCK = 256
"""Texts are filled up with blanks to a multiple of this many bytes: their length would tell a city from another."""

BY_SUBJECT, BY_NONE = "subject", "none"
"""Whose key closed an event: its subject's, or one that was thrown away because no subject has a salt."""

_SUBJECT, _PSEUDONYM, _SECRET = b"ebb event subject 1", b"ebb event pseudonym 1", b"ebb event secret 1"
_SALT = 16
_SHA256 = SHA256()


def subject_key(secret: bytes, salt: bytes) -> bytes:
    """Return the key of the subject with this salt, 32 bytes."""
    return _expanded(_extracted(secret), salt)


def _extracted(secret: bytes) -> bytes:
    """Do HKDF's first step, once for all subjects; it takes as long as the second."""
    return hmac.digest(bytes(_SHA256.digest_size), secret, "sha256")


def _expanded(extracted: bytes, salt: bytes) -> bytes:
    return HKDFExpand(_SHA256, 32, _SUBJECT + salt).derive(extracted)


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
        self._extracted, self._random = _extracted(secret), random
        self._pseudonyms = hmac.new(HKDF(_SHA256, 32, None, _PSEUDONYM).derive(secret), digestmod="sha256")
        by = ',"sealed":{{"by":"{}","secret":"{}"'
        self._by_subject = by.format(BY_SUBJECT, secret_name(secret)).encode()
        self._by_none = by.format(BY_NONE, secret_name(secret)).encode()

    def pseudonym(self, entity_id: str) -> str:
        """Return what stands for an entity in events, 32 hex digits: the same in every event of a stage."""
        made = self._pseudonyms.copy()
        made.update(entity_id.encode())
        return made.hexdigest()[:32]

    def close(self, salt: str, opened: bytes, personal: bytes) -> bytes:
        """Return a finished event: what is open, with what is personal sealed into it.

        Args:
            salt: the subject's, 32 hex digits; where it is empty the key is a random one that nobody keeps.
            opened: a JSON object; every byte of it is bound to what is sealed, so that neither fits anything else.
            personal: a JSON text.

        Raises:
            Misuse: the salt is none.
        """
        if salt:
            key, by = _expanded(self._extracted, _salt_bytes(salt)), self._by_subject
        else:
            key, by = self._random(32), self._by_none
        bound = opened[:-1] + by
        nonce = self._random(NONCE)
        filled = personal.ljust(-(-len(personal) // BLOCK) * BLOCK)
        return finished(bound, nonce + AESGCM(key).encrypt(nonce, filled, bound))


def finished(bound: bytes, sealed: bytes) -> bytes:
    """Return an event's line: what is bound, then nonce and sealed text in base64."""
    return b'%b,"text":"%b"}}' % (bound, b2a_base64(sealed, newline=False))


def _salt_bytes(salt: str) -> bytes:
    try:
        made = bytes.fromhex(salt)
    except ValueError:
        made = b""
    if len(made) != _SALT:
        raise Misuse("A subject's salt is 32 hex digits, and the one that is held is none: write its features anew.")
    return made
