"""What a table must pass before it comes into force: releases that work, and contracts that get along."""

from collections.abc import Callable, Mapping, Sequence

from ebb.contract import Contract, Feature
from ebb.errors import ReleaseError, RoutingError
from ebb.release.load import LoadedRelease
from ebb.routing.table import RoutingTable

Load = Callable[[str], LoadedRelease]
"""From a version to the release, verified and with its golden examples answered; raises ReleaseError."""


def admit(table: RoutingTable, load: Load) -> None:
    """Check every release that is to answer or to score along, and that all contracts fit together.

    The previous champion only waits: one that is broken stops no change, and is refused once somebody rolls back to
    it. A rollback itself must never fail for the sake of what stood beside the champion before, so it asks only that
    the champion works; whatever else can be loaded is compared all the same.

    Args:
        table: the one that is to come into force.
        load: see `Load`; called once for each release.

    Raises:
        RoutingError: a release is missing, altered, or answers its golden examples differently; or the contract of
            one removes or retypes a feature of another.
    """
    required = {table.champion}
    if table.change.action != "rollback":
        required = set(table.releases) - {table.previous} | _beside(table) | required
    contracts: dict[str, Contract] = {}
    for release in table.releases:
        try:
            contracts[release] = load(release).contract
        except ReleaseError as error:
            if release in required:
                raise RoutingError(f"the routing table stays as it is, since {release} cannot serve: {error}") from None
    check_contracts(contracts)


def _beside(table: RoutingTable) -> set[str]:
    """Return who answers or scores beside the champion; the previous champion may be among them."""
    return {role.release for role in (*table.challengers, table.cheap, table.shadow) if role}


def check_contracts(contracts: Mapping[str, Contract]) -> None:
    """Check that releases only add optional features to each other.

    A feature that two of them know must be the same to both; one that not all of them know must be allowed to be
    missing where it is known, since a row that was sent for one release may be scored by another.

    Args:
        contracts: by release, in the order of the table.

    Raises:
        RoutingError: names the feature and both releases.
    """
    order = list(contracts.items())
    for index, (release, contract) in enumerate(order):
        for other, second in order[:index]:
            _check_pair(other, second, release, contract)


def _check_pair(first: str, one: Contract, second: str, two: Contract) -> None:
    for feature in one.features:
        same = two.by_name.get(feature.name)
        if same is None:
            _require_optional(feature, first, second, "removes")
        elif _type_of(feature) != _type_of(same):
            raise RoutingError(
                f"release {second} retypes the feature {feature.name!r} of release {first} "
                f"({_told(feature)} there, {_told(same)} here): both cannot serve at once"
            )
    for feature in two.features:
        if feature.name not in one.by_name:
            _require_optional(feature, second, first, "lacks")


def _require_optional(feature: Feature, holder: str, lacking: str, verb: str) -> None:
    if not feature.missing and feature.default is None:
        raise RoutingError(
            f"release {lacking} {verb} the feature {feature.name!r}, which release {holder} needs: "
            "both cannot serve at once; let it be missing, or give it a default"
        )


def _type_of(feature: Feature) -> Sequence[str]:
    return feature.kind, feature.unit


def _told(feature: Feature) -> str:
    return f"{feature.kind} in {feature.unit}" if feature.unit else str(feature.kind)
