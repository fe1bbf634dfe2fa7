"""The version of the routing table, told again and again: the fast tier forgets, and whoever changes it may die."""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.ports import RoutingNews, RoutingStore


@dataclass(frozen=True)
class Announcement:
    """Announces the newest table.

    Args:
        contract: returns the name of the served contract; empty where none is.
        routing: where tables lie.
        news: tells every environment.
    """

    contract: Callable[[], str]
    routing: RoutingStore
    news: RoutingNews

    def make(self) -> int:
        """Announce the newest version and return it; 0 where there is no table yet.

        Raises:
            RoutingError: what lies there is no table.
            Unavailable: the tables cannot be read, or nobody could be told.
        """
        contract = self.contract()
        table = self.routing.latest(contract) if contract else None
        if table is None:
            return 0
        self.news.announce_routing(table.version)
        return table.version
