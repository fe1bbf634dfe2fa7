"""What is remembered of writes that name a key, as a protocol; nothing of it is a personal value."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Claim:
    """What became of an attempt to be the one who works on a request.

    Attributes:
        token: proves that this try is the one; None where another one is or was.
        same: whether the key stands for the same request.
        answer: what the first try answered; None where it has not yet.
    """

    token: int | None
    same: bool = True
    answer: str | None = None


class IdempotencyKeys(Protocol):
    """Remembers who works on which request, and what was answered."""

    def claim(self, key: bytes, request: bytes, lease: float) -> Claim:
        """Claim a request, or learn what became of it; of several at once one gets it.

        Args:
            key: a hash of the client and its key, 32 bytes.
            request: a hash of the whole request, 32 bytes.
            lease: seconds after which a try that has not answered counts as dead, and its claim may be taken over.

        Raises:
            Unavailable: the tier does not answer; nothing was claimed.
        """

    def keep(self, key: bytes, token: int, answer: str) -> None:
        """Keep the answer of a claim; of one that was taken over nothing is kept.

        Raises:
            Unavailable: the tier does not answer; the claim stands until its lease is over.
        """

    def release(self, key: bytes, token: int) -> None:
        """Give a claim back, since nothing came of it.

        Raises:
            Unavailable: the tier does not answer; the claim stands until its lease is over.
        """

    def prune(self, older_than: float) -> int:
        """Forget what is older than so many seconds, and return how many keys that were; call again until few.

        Raises:
            Unavailable: the tier does not answer.
        """
