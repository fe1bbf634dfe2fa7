"""The figure that was agreed on: a change that makes it dearer by more than a tenth needs a reason."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cdk.pricing.bill import bill_of, usd_per_1000_batch_rows
from cdk.pricing.errors import PricingError
from cdk.pricing.load import Load
from cdk.pricing.templates import Templates

_FILE = Path(__file__).with_name("recorded.toml")
MARGIN = 0.10


@dataclass(frozen=True)
class Recorded:
    """What a stage was found to cost.

    Attributes:
        date: when.
        rps, utilisation: of the load.
        usd_per_1000, usd_per_1000_batch_rows: dollars for 1,000 predictions one by one, and in batches.
        reason: why it is so, or what changed it.
    """

    date: str
    rps: float
    utilisation: float
    usd_per_1000: float
    usd_per_1000_batch_rows: float
    reason: str

    @property
    def load(self) -> Load:
        """The load that it was found for."""
        return Load(self.rps, self.utilisation)


def read_recorded(stage: str, path: Path = _FILE) -> Recorded:
    """Return what is in force for a stage: the last entry; those before it are how it came to be.

    Raises:
        PricingError: there is none, or one without a reason.
    """
    entries = [Recorded(**entry) for entry in tomllib.loads(path.read_text()).get(stage, [])]
    if not entries or not all(entry.reason.strip() for entry in entries):
        raise PricingError(f"{path.name} has no figure for the stage {stage!r}, or one without a reason")
    return entries[-1]


def dearer(recorded: Recorded, templates: Templates) -> list[str]:
    """Return a sentence for each figure that rose by more than `MARGIN` above what is recorded."""
    found = {
        "1,000 predictions": (recorded.usd_per_1000, bill_of(templates, recorded.load).usd_per_1000),
        "1,000 rows in batches": (
            recorded.usd_per_1000_batch_rows,
            usd_per_1000_batch_rows(templates, recorded.load),
        ),
    }
    return [
        f"{what} cost ${now:.6f}, {now / before - 1:.0%} more than the recorded ${before:.6f}: make it cheaper, or "
        f"record it with the reason in cdk/pricing/{_FILE.name}"
        for what, (before, now) in found.items()
        if now > before * (1 + MARGIN)
    ]
