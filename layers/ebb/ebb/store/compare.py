"""Whether the fast tier tells the truth: what it holds, compared with the durable tier."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from ebb.ports import DurableReader, FastReader, FeatureRecord
from ebb.store.agreement import DIFFERENT, NEWER, OLDER, ONLY_FAST, Agreement, Example
from ebb.store.runs import runs

EXAMPLES = 10


def compare(durable: DurableReader, fast: FastReader, entity_ids: Iterable[str], examples: int = EXAMPLES) -> Agreement:
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


def _compare_again(
    durable: DurableReader, fast: FastReader, entity_ids: Sequence[str], found: Agreement, examples: int
) -> None:
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
