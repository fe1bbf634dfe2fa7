"""How far Valkey was refilled, kept in Valkey itself: a server that came back empty knows of nothing."""

from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import make_client, named
from ebb.valkey.scripts import FOLLOWED_KEY

KEY = "refilled"
FULL = 0.8
"""Beyond this share of its memory a server would soon evict what is asked for, for what is not."""

_ALL, _AFTER, _AGAIN = b"all", b"after", b"again"


class ValkeyRefilled:
    """Remembers a position in the order of the durable tier, and the server that was told so far.

    A replica that took its primary's place holds the position of that one: all is told anew then, since what the
    replica had not followed may be older.

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
            kept, server, word, after = self._look()
            if not kept:  # so that `keep` and `again` know this server
                self._client.set(KEY, b":".join((_AFTER, server, b"")), nx=True)
            elif not word:
                self._client.set(KEY, b":".join((_AGAIN, server, b"")))
        return None if word == _ALL else after.decode()

    def again(self) -> bool:
        """Say whether the server holds records that may be older, and is told all of them anew.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            return self._look()[2] == _AGAIN

    def is_known(self) -> bool:
        """Say whether the server has been looked at before: one that came back empty has not.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            return bool(self._client.exists(KEY))

    def restart(self) -> None:
        """Have the server told all anew, since its records may be older; `position` is at the beginning.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            server: bytes = self._client.info("server")["run_id"].encode()
            self._client.set(KEY, b":".join((_AGAIN, server, b"")))

    def keep(self, position: str | None) -> None:
        """Remember a position, or None for all; another server than `position` saw forgets it.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            _, server, word, _ = self._look()
            if word:
                kept = (_ALL, server, b"") if position is None else (word, server, position.encode())
                self._client.set(KEY, b":".join(kept), xx=True)

    def _look(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Return what is kept, the server's name for this run, and word and entity where it was this server's."""
        kept: bytes = self._client.get(KEY) or b""
        server: bytes = self._client.info("server")["run_id"].encode()
        word, _, rest = kept.partition(b":")
        told, _, after = rest.partition(b":")
        return (kept, server, word, after) if told == server else (kept, server, b"", b"")

    def size(self) -> int:
        """Return how many keys the server holds besides: nearly all of them are records.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            return int(self._client.dbsize()) - int(self._client.exists(KEY, FOLLOWED_KEY))

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
