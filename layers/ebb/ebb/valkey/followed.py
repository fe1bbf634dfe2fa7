"""How far Valkey followed another region, kept in Valkey itself: a server that came back empty knows of nothing.

It is written behind the records that it speaks of, and replicas take writes in their order: so it is true of a replica
that took its primary's place too.
"""

from ebb.ports import Position
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import make_client, named
from ebb.valkey.scripts import FOLLOWED_KEY


class ValkeyFollowed:
    """Remembers a position in the change feed.

    Args:
        address: of the primary.
        region: the one that is followed; a position in another one's feed is none.
        seconds: for a connection, and for an answer.
    """

    def __init__(self, address: ValkeyAddress, region: str, *, seconds: float) -> None:
        self._client, self._region = make_client(address, seconds), region

    def position(self) -> Position | None:
        """Return the position; None where there is none.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            kept: bytes = self._client.get(FOLLOWED_KEY) or b""
        region, _, rest = kept.decode(errors="replace").partition(" ")
        generation, _, transaction = rest.partition(" ")
        return Position(generation, int(transaction)) if region == self._region and transaction.isdecimal() else None

    def begin(self, position: Position) -> None:
        """Remember a first position.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            self._client.set(FOLLOWED_KEY, self._text(position))

    def keep(self, position: Position) -> None:
        """Remember how far it came; a server that has forgotten where it began remembers nothing.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            self._client.set(FOLLOWED_KEY, self._text(position), xx=True)

    def age(self) -> float:
        """Return the seconds since the server started.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            return float(self._client.info("server")["uptime_in_seconds"])

    def close(self) -> None:
        """Close the connection."""
        self._client.connection_pool.disconnect()

    def _text(self, position: Position) -> str:
        return f"{self._region} {position.generation} {position.transaction}"
