"""What the domain needs from outside, as protocols; adapters and hand-written fakes implement them."""

from ebb.ports.durable import DurableTier, Merged, Repair, RepairTier
from ebb.ports.fast import FastAnswer, FastTier
from ebb.ports.months import HistoryMonths, Left
from ebb.ports.records import FeatureRecord, FeatureUpdate
from ebb.ports.releases import ReleaseStore, Scorer
from ebb.ports.signals import Signals
from ebb.ports.subjects import Access, HistoryRow, HistoryTier, SubjectTier

__all__ = [
    "Access",
    "DurableTier",
    "FastAnswer",
    "FastTier",
    "FeatureRecord",
    "FeatureUpdate",
    "HistoryMonths",
    "HistoryRow",
    "HistoryTier",
    "Left",
    "Merged",
    "ReleaseStore",
    "Repair",
    "RepairTier",
    "Scorer",
    "Signals",
    "SubjectTier",
]
