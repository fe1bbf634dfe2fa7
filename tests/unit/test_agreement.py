"""The checker finds every way in which the fast tier can be wrong, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.ports import Access, FeatureRecord, FeatureUpdate
from ebb.store.agreement import DIFFERENT, NEWER, OLDER, ONLY_FAST
from ebb.store.compare import compare, how
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast

WHO = "ada.lovelace@example.org"
TOMBSTONE = FeatureRecord({}, {}, 4, erased_at=9.0)
RECORD = FeatureRecord({"x": 1.0}, {"x": 10.0}, 3, "ab" * 16)


@pytest.fixture
def durable() -> MemoryDurable:
    held = MemoryDurable()
    held.merge([FeatureUpdate(entity_id, {"x": 1.0}, 10.0) for entity_id in ("a", "b", WHO)])
    return held


@pytest.fixture
def fast(durable: MemoryDurable) -> MemoryFast:
    held = MemoryFast()
    held.put(durable.records)
    return held


def test_tiers_that_agree(durable: MemoryDurable, fast: MemoryFast) -> None:
    found = compare(durable, fast, fast.records)
    assert (found.agrees, found.checked, found.document()["disagree"]) == (True, 3, {})


def test_what_is_cold_agrees(durable: MemoryDurable) -> None:
    assert compare(durable, MemoryFast(), ["a", "b"]).agrees


def test_erased_in_both_agrees_and_is_counted(durable: MemoryDurable, fast: MemoryFast) -> None:
    fast.put(durable.erase("a", Access(1.0, "acme", "erase", "c")).records)
    found = compare(durable, fast, ["a", "b"])
    assert (found.agrees, found.tombstones) == (True, 1)


@pytest.mark.parametrize(
    ("fast_record", "durable_record", "what"),
    [
        (RECORD, RECORD, ""),
        (TOMBSTONE, TOMBSTONE, ""),
        (replace(RECORD, values={"x": 1}), RECORD, ""),
        (RECORD, None, ONLY_FAST),
        (replace(RECORD, version=2), RECORD, OLDER),
        (replace(RECORD, version=4), RECORD, NEWER),
        (RECORD, TOMBSTONE, OLDER),
        (replace(RECORD, version=4), TOMBSTONE, DIFFERENT),
        (replace(TOMBSTONE, version=3), RECORD, DIFFERENT),
        (replace(RECORD, values={"x": 2.0}), RECORD, DIFFERENT),
        (replace(RECORD, values={"x": 1.0, "y": 1.0}), RECORD, DIFFERENT),
        (replace(RECORD, event_times={"x": 11.0}), RECORD, DIFFERENT),
        (replace(RECORD, salt="cd" * 16), RECORD, DIFFERENT),
    ],
)
def test_every_way_to_disagree(fast_record: FeatureRecord, durable_record: FeatureRecord | None, what: str) -> None:
    assert how(fast_record, durable_record) == what


def test_the_report_counts_names_nobody_and_lists_who_is_behind(durable: MemoryDurable, fast: MemoryFast) -> None:
    durable.merge([FeatureUpdate(WHO, {"x": 2.0}, 20.0), FeatureUpdate("a", {"x": 2.0}, 20.0)])
    found = compare(durable, fast, fast.records, examples=1)
    assert found.disagree == {OLDER: 2}
    assert sorted(found.behind) == ["a", WHO]
    assert len(found.examples) == 1
    assert (found.examples[0].fast, found.examples[0].durable) == (1, 2)
    assert WHO.encode() not in orjson.dumps(found.document())


class Moving(MemoryFast):
    """A fast tier whose first answer is outdated by the time the durable one is read."""

    write: Callable[[], None] | None = None

    def held(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        answered = dict(super().held(entity_ids))
        if self.write is not None:
            write, self.write = self.write, None
            write()
        return answered


def test_a_write_that_passes_through_is_no_disagreement(durable: MemoryDurable) -> None:
    fast = Moving()
    fast.put(durable.records)

    def write() -> None:
        fast.put(durable.merge([FeatureUpdate("a", {"x": 2.0}, 20.0)]).records)

    fast.write = write
    assert compare(durable, fast, ["a", "b"]).agrees


@given(st.lists(st.sampled_from("abc"), max_size=20), st.lists(st.sampled_from("abc"), max_size=20))
def test_a_fast_tier_that_missed_writes_is_behind_and_one_that_was_told_agrees(
    told: list[str], missed: list[str]
) -> None:
    durable, fast = MemoryDurable(), MemoryFast()
    for time, entity_id in enumerate(told):
        fast.put(durable.merge([FeatureUpdate(entity_id, {"x": time}, float(time))]).records)
    assert compare(durable, fast, fast.records).agrees
    for entity_id in missed:
        durable.merge([FeatureUpdate(entity_id, {"x": 0}, 100.0)])
    assert set(compare(durable, fast, fast.records).behind) == set(told) & set(missed)
