"""Idempotency keys in Postgres: a row a key, claimed by whoever inserts it."""

from os import urandom

from ebb.ports.idempotency import Claim
from ebb.postgres.connection import PostgresConnection

PRUNED_AT_ONCE = 10_000
"""Rows; more would hold the table longer than a write waits."""

# The row's own clock judges the lease: environments' clocks differ.
_CLAIM = """
insert into idempotency_keys as held (key, request, token) values (:key, :request, :token)
on conflict (key) do update set token = excluded.token, claimed_at = clock_timestamp()
where held.answer is null and held.request = excluded.request
    and held.claimed_at < clock_timestamp() - make_interval(secs => cast(:lease as float8))
returning token
"""
_HELD = "select request, answer from idempotency_keys where key = :key"
_KEEP = "update idempotency_keys set answer = :answer where key = :key and token = :token"
_RELEASE = "delete from idempotency_keys where key = :key and token = :token and answer is null"
_PRUNE = """
with old as (
    delete from idempotency_keys where key in (
        select key from idempotency_keys
        where claimed_at < clock_timestamp() - make_interval(secs => cast(:older_than as float8))
        order by claimed_at limit :most for update skip locked)
    returning 1)
select count(*) from old
"""


class PostgresIdempotencyKeys:
    """`IdempotencyKeys` in Postgres.

    Args:
        connection: where they lie; may be shared with other tiers of the same thread.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def claim(self, key: bytes, request: bytes, lease: float) -> Claim:
        """See `IdempotencyKeys.claim`."""
        token = int.from_bytes(urandom(8), signed=True)
        if self._connection.query(_CLAIM, key=key, request=request, token=token, lease=lease):
            return Claim(token)
        rows = self._connection.query(_HELD, key=key)
        if not rows:  # given back between the two statements: whoever asks again gets it
            return Claim(None)
        held, answer = rows[0]
        return Claim(None, bytes(held) == request, answer)

    def keep(self, key: bytes, token: int, answer: str) -> None:
        """See `IdempotencyKeys.keep`."""
        self._connection.query(_KEEP, key=key, token=token, answer=answer)

    def release(self, key: bytes, token: int) -> None:
        """See `IdempotencyKeys.release`."""
        self._connection.query(_RELEASE, key=key, token=token)

    def prune(self, older_than: float) -> int:
        """See `IdempotencyKeys.prune`; at most `PRUNED_AT_ONCE` a call."""
        return int(self._connection.query(_PRUNE, older_than=older_than, most=PRUNED_AT_ONCE)[0][0])
