"""RS256 (RFC 7518, 3.3; RFC 8017, 8.2) in plain Python, as MiniStack's environment has no library for it.

For tokens of an emulator on loopback: a signature takes as long as the key's bits make it, which tells them apart.
"""

import hashlib
import math
import secrets
from dataclasses import dataclass

_BITS = 2048
_EXPONENT = 65_537
_ROUNDS = 20
"""Of Miller and Rabin: a composite passes all of them once in 4**20."""
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""How RFC 8017, 9.2, writes that a hash is SHA-256."""
_SMALL = [number for number in range(3, 2_000, 2) if all(number % each for each in range(3, math.isqrt(number) + 1, 2))]


@dataclass(frozen=True)
class Key:
    """A private key.

    Attributes:
        modulus: the public part, with `exponent`.
        secret: the private exponent.
    """

    modulus: int
    secret: int
    exponent: int = _EXPONENT

    @classmethod
    def generate(cls, bits: int = _BITS) -> "Key":
        """Return a new key.

        Args:
            bits: of its modulus, even.
        """
        while True:
            one, other = _prime(bits // 2), _prime(bits // 2)
            around = math.lcm(one - 1, other - 1)
            if one != other and math.gcd(_EXPONENT, around) == 1:
                return cls(one * other, pow(_EXPONENT, -1, around))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        size = _size(self.modulus)
        signed = pow(int.from_bytes(_encoded(message, size)), self.secret, self.modulus)
        return signed.to_bytes(size)


def verified(message: bytes, signature: bytes, modulus: int, exponent: int) -> bool:
    """Tell whether a signature is one of this message by the key with this public part."""
    size = _size(modulus)
    if size < len(_SHA256) + 43 or len(signature) != size or int.from_bytes(signature) >= modulus:
        return False
    found = pow(int.from_bytes(signature), exponent, modulus).to_bytes(size)
    return secrets.compare_digest(found, _encoded(message, size))


def _size(modulus: int) -> int:
    return (modulus.bit_length() + 7) // 8


def _encoded(message: bytes, size: int) -> bytes:
    """EMSA-PKCS1-v1_5: the hash, and what fills the key's size."""
    told = _SHA256 + hashlib.sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told


def _prime(bits: int) -> int:
    """Return a random prime of exactly so many bits, its two highest set so that a product has twice as many."""
    while True:
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if all(number % each for each in _SMALL) and _is_prime(number):
            return number


def _is_prime(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(_ROUNDS):
        power = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
