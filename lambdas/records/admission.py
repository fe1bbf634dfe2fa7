"""How often a client may call: its plan counts every request, and a batch as many as it has entities."""

from typing import Protocol

from ebb.errors import RateLimited
from ebb.http.calls import Call
from ebb.http.doors import Route
from ebb.plans import Allowance


class Limits(Protocol):
    """Knows the clients' plans; `FeatureStore` is one."""

    def admit(self, client: str, cost: int) -> Allowance:
        """Count so many requests of a client."""

    def refusal(self, client: str, allowance: Allowance) -> RateLimited:
        """Return the error that tells a client of an allowance that says no."""


def admit(limits: Limits, client: str, cost: int = 1) -> None:
    """Count so many requests of a client.

    Raises:
        RateLimited: they are too many.
    """
    allowance = limits.admit(client, cost)
    if allowance.wait:
        raise limits.refusal(client, allowance)


def limited(limits: Limits, route: Route) -> Route:
    """Return the route, each call of which counts as one request."""

    def counted(call: Call) -> object:
        admit(limits, call.client)
        return route(call)

    return counted
