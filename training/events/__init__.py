"""Features from events: portable SQL, run as of a snapshot, into one table that trains or serves."""

from training.events.build import Built, build_table
from training.events.snapshots import parse_snapshots

__all__ = ["Built", "build_table", "parse_snapshots"]
