"""What a read of the feature store brings."""

from dataclasses import dataclass, field

from ebb.plans import Allowance
from ebb.ports import FeatureRecord

FAST, DURABLE, CACHE, NONE = "fast", "durable", "cache", "none"

NOT_COUNTED = Allowance(0.0, 0, 0.0)
NOTHING: frozenset[str] = frozenset()


# Not frozen: that takes four times as long to make, and a batch makes a thousand. Nobody changes one.
@dataclass(slots=True)
class Reading:
    """What the store could say of one entity.

    Attributes:
        record: its values; None where there are none, or none could be had.
        tier: where they came from: `fast`, `durable`, `cache` or `none`.
        trouble: why nobody could say what is held; empty where somebody could.
        expired: features that have left the fast tier, and that the durable one could not be asked for.
        allowance: what the client may still ask; all readings of one batch have the same.
        routing: version of the routing table, as far as the fast tier told it.
        hedged: whether the replica answered in the primary's place.
    """

    record: FeatureRecord | None = None
    tier: str = NONE
    trouble: str = ""
    expired: frozenset[str] = NOTHING
    allowance: Allowance = field(default=NOT_COUNTED, compare=False)
    routing: int = 0
    hedged: bool = False

    @property
    def wait(self) -> float:
        """Seconds until the client may ask again; 0 where it may now."""
        return self.allowance.wait
