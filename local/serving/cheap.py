"""The cheap release of a training in the routing table with which a local cloud comes up."""

from dataclasses import replace

from ebb.routing.table import Cheap, RoutingTable


def with_cheap(table: RoutingTable, named: str | None, *, first: bool) -> RoutingTable:
    """Return the table with the cheap release that the store names beside its champion.

    In a first table it stands ready and answers nobody: `ebb route set --cheap` gives it a share, at once. Where a
    table has a cheap release already, the one that a later training made takes its place, share and margin; where
    somebody took it out of the table, it stays out.

    Args:
        table: that is to be in force.
        named: the version that the store names; None where it names none.
        first: whether there was no table before.
    """
    taken = {table.champion, *(challenger.release for challenger in table.challengers)}
    if named is None or named in taken:
        return table
    if table.cheap is None:
        return replace(table, cheap=Cheap(named, weight=0.0)) if first else table
    old = table.cheap.release
    slots = {named if release == old else release: ranges for release, ranges in table.slots.items()}
    return replace(table, cheap=replace(table.cheap, release=named), slots=slots)
