"""What a read of the feature store brings."""

from dataclasses import dataclass, field

from ebb.ports import FeatureRecord

FAST, DURABLE, CACHE, NONE = "fast", "durable", "cache", "none"


@dataclass(frozen=True)
class Reading:
    """What the store could say of one entity.

    Attributes:
        record: its values; None where there are none, or none could be had.
        tier: where they came from: `fast`, `durable`, `cache` or `none`.
        trouble: why nobody could say what is held; empty where somebody could.
        expired: features that have left the fast tier, and that the durable one could not be asked for.
        wait: seconds until the client may ask again; 0 where it may now.
        routing: version of the routing table, as far as the fast tier told it.
        hedged: whether the replica answered in the primary's place.
    """

    record: FeatureRecord | None = None
    tier: str = NONE
    trouble: str = ""
    expired: frozenset[str] = field(default_factory=frozenset)
    wait: float = 0.0
    routing: int = 0
    hedged: bool = False
