"""Whether the fast tier tells the truth: what it holds, compared with the durable tier."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from ebb.ports import FeatureRecord
from ebb.store.runs import runs

EXAMPLES = 10

OLDER, NEWER, DIFFERENT, ONLY_FAST = "older", "newer", "different", "only in the fast tier"


class Held(Protocol):
    """The fast tier, as it is compared."""

    def held(self, entity_ids: Sequence[str]) -> Mapping[str, FeatureRecord]:
        """Return the records that are held of these entities, tombstones too.

        Raises:
            Unavailable: the tier does not answer.
        """


class Known(Protocol):
    """The durable tier, as it is compared."""

    def read_many(self, entity_ids: Sequence[str]) -> Mapping[str, FeatureRecord]:
        """See `RepairTier.read_many`."""


@dataclass(frozen=True)
class Example:
    """One entity that the tiers disagree about.

    Attributes:
        subject: a pseudonym: a keyed hash, whose key is the subject's salt.
        what: how they disagree.
        fast, durable: the versions held; None where nothing is.
    """

    subject: str
    what: str
    fast: int | None
    durable: int | None


@dataclass
class Agreement:
    """What a comparison found; grows while it goes on.

    Attributes:
        checked: entities that the fast tier held.
        tombstones: those among them that were erased.
        disagree: how many disagree, by how.
        examples: some of them.
        behind: entities whose record in the fast tier is older, to be told anew; in no document.
    """

    checked: int = 0
    tombstones: int = 0
    disagree: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    behind: list[str] = field(default_factory=list, repr=False)

    @property
    def agrees(self) -> bool:
        """Whether nothing was found."""
        return not self.disagree

    def document(self) -> dict[str, object]:
        """Return it as a JSON object; no entity stands in it."""
        return {
            "agrees": self.agrees,
            "checked": self.checked,
            "tombstones": self.tombstones,
            "disagree": dict(self.disagree),
            "examples": [vars(example) for example in self.examples],
        }


def compare(durable: Known, fast: Held, entity_ids: Iterable[str], examples: int = EXAMPLES) -> Agreement:
    """Compare what the fast tier holds of these entities with the durable tier: version, values, times, salt.

    What only the durable tier holds is cold, and agrees. A pair that disagrees is read once more, the fast tier
    first: a write that passed through in between is no disagreement.

    Raises:
        Unavailable: a tier does not answer.
    """
    found = Agreement()
    for ids in runs(entity_ids):
        in_fast = fast.held(ids)
        in_durable = durable.read_many(list(in_fast))
        found.checked += len(in_fast)
        found.tombstones += sum(record.is_tombstone for record in in_fast.values())
        doubtful = [i for i, record in in_fast.items() if how(record, in_durable.get(i))]
        if doubtful:
            _compare_again(durable, fast, doubtful, found, examples)
    return found


def _compare_again(durable: Known, fast: Held, entity_ids: Sequence[str], found: Agreement, examples: int) -> None:
    in_fast = fast.held(entity_ids)
    in_durable = durable.read_many(entity_ids)
    for entity_id, record in in_fast.items():
        known = in_durable.get(entity_id)
        what = how(record, known)
        if not what:
            continue
        found.disagree[what] = found.disagree.get(what, 0) + 1
        if what == OLDER:
            found.behind.append(entity_id)
        if len(found.examples) < examples:
            pseudonym = _pseudonym(entity_id, known or record)
            found.examples.append(Example(pseudonym, what, record.version, known.version if known else None))


def how(fast: FeatureRecord, durable: FeatureRecord | None) -> str:
    """Say how a record of the fast tier disagrees with the durable one; empty where it agrees."""
    if durable is None:
        return ONLY_FAST
    if fast.version != durable.version:
        return OLDER if fast.version < durable.version else NEWER
    if durable.is_tombstone or fast.is_tombstone:
        return "" if durable.is_tombstone and fast.is_tombstone else DIFFERENT
    return "" if _content(fast) == _content(durable) else DIFFERENT


def _content(record: FeatureRecord) -> tuple[object, ...]:
    return dict(record.values), dict(record.event_times), record.salt


def _pseudonym(entity_id: str, record: FeatureRecord) -> str:
    return blake2b(entity_id.encode(), digest_size=6, key=record.salt.encode()).hexdigest()
