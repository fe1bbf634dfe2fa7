"""Where routing tables lie, and how a new one becomes known, as protocols."""

from typing import Protocol

from ebb.routing.table import RoutingTable


class RoutingStore(Protocol):
    """The durable tables of each contract; versions are written once and never altered."""

    def latest(self, contract: str) -> RoutingTable | None:
        """Return the newest table; None where there is none yet.

        Raises:
            Unavailable: the store does not answer.
            RoutingError: what lies there is no table of Ebb's.
        """

    def history(self, contract: str, most: int) -> list[RoutingTable]:
        """Return the newest tables, the newest first.

        Raises:
            Unavailable, RoutingError: see `latest`.
        """

    def append(self, contract: str, table: RoutingTable) -> None:
        """Keep a new version.

        Raises:
            Conflict: this version is there already: somebody else was first.
            Unavailable: the store does not answer; nothing was kept.
        """


class RoutingNews(Protocol):
    """Tells every environment which version is in force: it travels with each feature read."""

    def announce_routing(self, version: int) -> None:
        """State the newest version; a lower one than is known changes nothing.

        Raises:
            Unavailable: nobody could be told.
        """
