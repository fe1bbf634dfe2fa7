"""What is held of one entity, and what changes it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebb.contract.model import Value

NO_EXCEPTIONS: Mapping[str, float] = MappingProxyType({})


class EventTimes(Mapping[str, float]):
    """When each value was true, as it is stored: one moment for nearly all of them.

    Args:
        names: of the values.
        common: epoch seconds of every value that is no exception.
        exceptions: epoch seconds of the others, by name.
    """

    __slots__ = ("_names", "common", "exceptions")

    def __init__(self, names: Collection[str], common: float, exceptions: Mapping[str, float] = NO_EXCEPTIONS) -> None:
        self._names, self.common, self.exceptions = names, common, exceptions

    def __getitem__(self, name: str) -> float:
        if name not in self._names:
            raise KeyError(name)
        return self.exceptions.get(name, self.common)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"EventTimes({dict(self)!r})"

    @staticmethod
    def of(times: Mapping[str, float]) -> "EventTimes":
        """Tell the commonest moment from its exceptions."""
        if isinstance(times, EventTimes):
            return times
        moments = list(times.values())
        common = moments[0] if moments else 0.0
        if moments.count(common) == len(moments):
            return EventTimes(times, common)
        common = max(set(moments), key=moments.count)
        return EventTimes(times, common, {name: moment for name, moment in times.items() if moment != common})


# Not frozen: that takes four times as long to make, and a batch makes a thousand. Nobody changes one.
@dataclass(slots=True)
class FeatureRecord:
    """What a tier holds for one entity.

    Attributes:
        values: raw values by feature name.
        event_times: when each value was true, epoch seconds; those that a tier read are `EventTimes`.
        version: counts the writes of this entity; the higher one is the newer.
        salt: the subject's own, 32 hex digits, made with its first features; empty in a tombstone.
        erased_at: when the subject was last erased, epoch seconds; no value from before is ever held again.
    """

    values: Mapping[str, Value]
    event_times: Mapping[str, float]
    version: int
    salt: str = ""
    erased_at: float | None = None

    @property
    def is_tombstone(self) -> bool:
        """Whether the subject was erased and has sent nothing since."""
        return self.erased_at is not None and not self.values

    @property
    def event_time(self) -> float:
        """When every value was true that is not in `exceptions`, epoch seconds."""
        return EventTimes.of(self.event_times).common

    @property
    def exceptions(self) -> Mapping[str, float]:
        """When the other values were true, by name; mostly empty."""
        return EventTimes.of(self.event_times).exceptions


@dataclass(frozen=True)
class FeatureUpdate:
    """New values of one entity, all true since `event_time` (epoch seconds)."""

    entity_id: str
    values: Mapping[str, Value]
    event_time: float
