"""A routing table with its releases at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from ebb.contract.model import Contract
from ebb.routing.assign import Assignment
from ebb.routing.table import CHAMPION, RoutingTable


class Servable(Protocol):
    """What stands for a release in a table that is served."""

    @property
    def contract(self) -> Contract:
        """The release's contract."""


V = TypeVar("V", bound=Servable)


@dataclass(frozen=True)
class Routed(Generic[V]):
    """One version of the table, in force.

    A request that began with it ends with it, whatever is swapped in meanwhile.

    Attributes:
        table: the version.
        releases: what stands for each release, by version; the champion's is always there.
        missing: releases of the table that could not be loaded; the champion answers in their place, and the
            contract's rules in the champion's.
    """

    table: RoutingTable
    releases: Mapping[str, V]
    missing: frozenset[str] = frozenset()

    @cached_property
    def _assignment(self) -> Assignment:
        return Assignment(self.table)

    @cached_property
    def champion(self) -> V:
        """What answers whom nobody else does."""
        return self.releases[self.table.champion]

    @cached_property
    def shadow(self) -> V | None:
        """What scores along; None where nothing does."""
        role = self.table.shadow
        return self.releases.get(role.release) if role and role.release not in self.missing else None

    @cached_property
    def ttls(self) -> dict[str, float]:
        """Seconds that the fast tier keeps each feature that has a limit, over all contracts of the table."""
        found: dict[str, float] = {}
        for servable in self.releases.values():
            found.update(servable.contract.ttls)
        return {**found, **self.champion.contract.ttls}

    @cached_property
    def features(self) -> frozenset[str]:
        """Every feature that a contract of the table knows; a release passes over those that only others know."""
        return frozenset(name for servable in self.releases.values() for name in servable.contract.by_name)

    def loaded_of(self, table: RoutingTable) -> dict[str, V]:
        """Return those releases of a table that are loaded here."""
        return {v: self.releases[v] for v in table.releases if v in self.releases and v not in self.missing}

    def of(self, entity_id: str) -> tuple[str, V]:
        """Return the role and the release that answer this entity."""
        role, version = self._assignment.of(entity_id)
        if version in self.missing:
            return CHAMPION, self.champion
        return role, self.releases[version]
