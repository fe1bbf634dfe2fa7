"""What the domain needs from outside, as protocols; adapters and hand-written fakes implement them."""

from ebb.ports.durable import DurablePages, DurableReader, DurableTier, Merged, Repair, RepairTier
from ebb.ports.events import EventRecorder, EventSink
from ebb.ports.fast import FastAnswer, FastAnswers, FastReader, FastTier, FastWriter
from ebb.ports.feed import ChangeFeed, FeedPage, Place, Position, RecordedChanges
from ebb.ports.months import HistoryMonths, Left
from ebb.ports.records import EventTimes, FeatureRecord, FeatureUpdate
from ebb.ports.releases import ReleaseStore, Scorer
from ebb.ports.routing import RoutingNews, RoutingStore
from ebb.ports.signals import Signals
from ebb.ports.subjects import Access, HistoryRow, HistoryTier, SubjectTier

__all__ = [
    "Access",
    "ChangeFeed",
    "DurablePages",
    "DurableReader",
    "DurableTier",
    "EventRecorder",
    "EventSink",
    "EventTimes",
    "FastAnswer",
    "FastAnswers",
    "FastReader",
    "FastTier",
    "FastWriter",
    "FeatureRecord",
    "FeatureUpdate",
    "FeedPage",
    "HistoryMonths",
    "HistoryRow",
    "HistoryTier",
    "Left",
    "Merged",
    "Place",
    "Position",
    "RecordedChanges",
    "ReleaseStore",
    "Repair",
    "RepairTier",
    "RoutingNews",
    "RoutingStore",
    "Scorer",
    "Signals",
    "SubjectTier",
]
