"""The fast tier: Valkey, by the synchronous `redis` client.

A value is 16 digits of version followed by the record's JSON, so that a script can compare versions without
parsing. The client's own retries are off: a read that fails falls through to the durable tier at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha1

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord
from ebb.record_json import record_from_json, record_to_json

DIGITS = 16

PUT_IF_NEWER = f"""
local held = redis.call('GETRANGE', KEYS[1], 0, {DIGITS - 1})
if held ~= '' and held >= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2])
else redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'EX', ARGV[3]) end
return 1
"""
_SHA = sha1(PUT_IF_NEWER.encode()).hexdigest()  # noqa: S324 - the name that Valkey gives the script
_WRITE_SECONDS = 0.5
"""A write of many records may take longer than a read."""


class ValkeyFeatures:
    """A `FeatureTier` in Valkey.

    Args:
        host, port: where it listens.
        timeout: seconds for a connect or an answer.
        ttl: seconds that a record is kept after its last write; None keeps it.
    """

    def __init__(self, host: str, port: int, *, timeout: float = 0.05, ttl: float | None = None) -> None:
        self._client = _client(host, port, timeout)
        self._writer = _client(host, port, max(timeout, _WRITE_SECONDS))
        self._ttl = str(int(ttl)) if ttl else "0"

    def read(self, entity_id: str) -> FeatureRecord | None:
        """Return what is held, or None; what is no record of Ebb's counts as forgotten.

        Raises:
            Unavailable: Valkey does not answer in time.
        """
        with _unavailable():
            blob: bytes | None = self._client.get(_key(entity_id))
        if blob is None:
            return None
        try:
            return record_from_json(blob[DIGITS:], int(blob[:DIGITS]))
        except ValueError:
            return None

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records, unless a higher version is already held.

        Raises:
            Unavailable: Valkey does not answer in time; some of the records may be held.
        """
        self.put_json((entity_id, r.version, record_to_json(r)) for entity_id, r in records.items())

    def put_json(self, records: Iterable[tuple[str, int, bytes]]) -> None:
        """Hold records that are JSON already, as (entity_id, version, JSON), in one pipeline.

        Raises:
            Unavailable: see `put`.
        """
        batch = list(records)
        try:
            with _unavailable():
                self._send_with_script(batch)
        except Unavailable:
            # An older record must not go on answering: forgotten, it is read from the durable tier.
            with suppress(redis.RedisError, OSError):
                self._client.delete(*(_key(entity_id) for entity_id, _, _ in batch))
            raise

    def _send_with_script(self, batch: Sequence[tuple[str, int, bytes]]) -> None:
        try:
            self._send(batch)
        except NoScriptError:  # the first write, or the first after a restart of the server
            self._writer.script_load(PUT_IF_NEWER)
            self._send(batch)

    def _send(self, batch: Sequence[tuple[str, int, bytes]]) -> None:
        pipeline = self._writer.pipeline(transaction=False)
        for entity_id, version, content in batch:
            pipeline.evalsha(_SHA, 1, _key(entity_id), f"{version:0{DIGITS}d}", content, self._ttl)
        pipeline.execute()


def _client(host: str, port: int, timeout: float) -> redis.Redis:
    return redis.Redis(
        host=host,
        port=port,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def _key(entity_id: str) -> str:
    return f"f:{entity_id}"


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise Unavailable(f"Valkey does not answer ({type(error).__name__})") from None
