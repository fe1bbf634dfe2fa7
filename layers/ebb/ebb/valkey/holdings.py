"""What the fast tier holds, and who is asked for most: for what looks after it, not for a prediction."""

import math
from collections.abc import Iterator, Sequence

from ebb.ports import FeatureRecord
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.answers import stored_record
from ebb.valkey.connection import make_client, named
from ebb.valkey.scripts import HALF_LIFE, HOT, HOT_KEY, record_key


class Holdings:
    """Looks at the primary.

    Args:
        address: of the primary.
        seconds: for a connection, and for an answer.
    """

    def __init__(self, address: ValkeyAddress, *, seconds: float) -> None:
        self._client = make_client(address, seconds)

    def held(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        """Return the records of those that are held.

        Raises:
            Unavailable: the server does not answer.
        """
        if not entity_ids:
            return {}
        with named():
            blobs = self._client.mget([record_key(entity_id) for entity_id in entity_ids])
        found = ((entity_id, stored_record(blob)) for entity_id, blob in zip(entity_ids, blobs, strict=True))
        return {entity_id: record for entity_id, record in found if record is not None}

    def scan(self, batch: int) -> Iterator[list[str]]:
        """Yield the entities that are held, about `batch` at a time; one may come twice.

        Raises:
            Unavailable: the server does not answer.
        """
        cursor = -1
        while cursor:
            with named():
                cursor, keys = self._client.scan(max(cursor, 0), match=record_key("*"), count=batch)
            if keys:
                yield [key.decode()[len(record_key("")) :] for key in keys]

    def hot(self, limit: int) -> list[str]:
        """Return the entities that are read most often now, the hottest first.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            seconds, _ = self._client.time()
            least = seconds / HALF_LIFE + math.log2(HOT)
            hottest = self._client.zrange(HOT_KEY, "+inf", least, desc=True, byscore=True, offset=0, num=limit)
        return [entity_id.decode() for entity_id in hottest]

    def close(self) -> None:
        """Close all connections."""
        self._client.connection_pool.disconnect()
