"""Idempotency keys in memory, whose time the test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ebb.errors import Unavailable
from ebb.ports.idempotency import Claim


@dataclass
class Row:
    """One key."""

    request: bytes
    token: int
    claimed_at: float
    answer: str | None = None


@dataclass
class MemoryIdempotencyKeys:
    """`IdempotencyKeys` that may be away."""

    clock: Callable[[], float]
    rows: dict[bytes, Row] = field(default_factory=dict)
    away: bool = False
    claims: int = 0

    def claim(self, key: bytes, request: bytes, lease: float) -> Claim:
        self._reach()
        row = self.rows.get(key)
        dead = row is not None and row.answer is None and self.clock() - row.claimed_at > lease
        if row is None or (dead and row.request == request):
            self.claims += 1
            self.rows[key] = Row(request, self.claims, self.clock())
            return Claim(self.claims)
        return Claim(None, row.request == request, row.answer)

    def keep(self, key: bytes, token: int, answer: str) -> None:
        self._reach()
        if key in self.rows and self.rows[key].token == token:
            self.rows[key].answer = answer

    def release(self, key: bytes, token: int) -> None:
        self._reach()
        if key in self.rows and self.rows[key].token == token and self.rows[key].answer is None:
            del self.rows[key]

    def prune(self, older_than: float) -> int:
        self._reach()
        old = [key for key, row in self.rows.items() if self.clock() - row.claimed_at > older_than]
        for key in old:
            del self.rows[key]
        return len(old)

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("the tier does not answer")
