"""How far Valkey was refilled, kept in Valkey itself: a server that came back empty knows of nothing."""

from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import make_client, named

KEY = "refilled"
FULL = 0.8
"""Beyond this share of its memory a server would soon evict what is asked for, for what is not."""

_ALL, _AFTER = b"all", b"after:"


class ValkeyRefilled:
    """Remembers a position in the order of the durable tier.

    Args:
        address: of the primary.
        seconds: for a connection, and for an answer.
    """

    def __init__(self, address: ValkeyAddress, *, seconds: float) -> None:
        self._client = make_client(address, seconds)

    def position(self) -> str | None:
        """Return the entity to go on after; empty where nothing was told yet, None where all was.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            kept: bytes | None = self._client.get(KEY)
            if kept is None:
                self._client.set(KEY, _AFTER, nx=True)  # so that `keep` knows this server again
        if kept == _ALL:
            return None
        return kept[len(_AFTER) :].decode() if kept and kept.startswith(_AFTER) else ""

    def keep(self, position: str | None) -> None:
        """Remember a position, or None for all; a server that came back empty since `position` forgets it.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            self._client.set(KEY, _ALL if position is None else _AFTER + position.encode(), xx=True)

    def size(self) -> int:
        """Return how many keys the server holds besides: nearly all of them are records.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            return int(self._client.dbsize()) - int(self._client.exists(KEY))

    def has_room(self) -> bool:
        """Say whether less than `FULL` of the memory that it may use is used; always where there is no bound.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            memory: dict[str, int] = self._client.info("memory")
        most = int(memory.get("maxmemory", 0))
        return most == 0 or int(memory["used_memory"]) < FULL * most

    def close(self) -> None:
        """Close the connection."""
        self._client.connection_pool.disconnect()
