"""The store reads the fast tier first, writes the durable one first, and survives the loss of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.record_json import record_from_json, record_to_json, values_to_json
from ebb.store.store import FeatureStore
from tests.fakes.tiers import MemoryTier


@pytest.fixture
def fast() -> MemoryTier:
    return MemoryTier()


@pytest.fixture
def durable() -> MemoryTier:
    return MemoryTier()


@pytest.fixture
def store(fast: MemoryTier, durable: MemoryTier) -> FeatureStore:
    return FeatureStore(fast, durable)


def test_what_the_fast_tier_lacks_is_read_and_written_back(
    store: FeatureStore, fast: MemoryTier, durable: MemoryTier
) -> None:
    durable.merge([FeatureUpdate("a", {"x": 1}, 10.0)])
    first, second = store.read("a"), store.read("a")
    assert first is not None
    assert second is not None
    assert (first.tier, second.tier) == ("durable", "fast")
    assert first.record == second.record
    assert fast.reads == 2
    assert durable.reads == 1


def test_an_unknown_entity_is_none(store: FeatureStore) -> None:
    assert store.read("nobody") is None


def test_a_lost_fast_tier_costs_no_answer(store: FeatureStore, fast: MemoryTier) -> None:
    store.write([FeatureUpdate("a", {"x": 1}, 10.0)])
    fast.away = True
    found = store.read("a")
    assert found is not None
    assert found.tier == "durable"


def test_a_lost_durable_tier_costs_nothing_while_the_fast_one_holds(store: FeatureStore, durable: MemoryTier) -> None:
    store.write([FeatureUpdate("a", {"x": 1}, 10.0)])
    durable.away = True
    assert store.read("a") is not None
    with pytest.raises(Unavailable):
        store.read("b")


def test_a_write_goes_to_the_durable_tier_first(store: FeatureStore, fast: MemoryTier, durable: MemoryTier) -> None:
    durable.away = True
    with pytest.raises(Unavailable):
        store.write([FeatureUpdate("a", {"x": 1}, 10.0)])
    assert fast.records == {}
    durable.away, fast.away = False, True
    with pytest.raises(Unavailable):
        store.write([FeatureUpdate("a", {"x": 1}, 10.0)])
    assert durable.records["a"].values == {"x": 1}


values = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)),
    max_size=3,
)


@given(values, st.floats(0, 2e9), st.floats(0, 2e9), st.integers(1, 10**15))
def test_a_record_survives_its_json(content: dict[str, float | str | None], early: float, late: float, v: int) -> None:
    times = {name: early if i % 2 else late for i, name in enumerate(content)}
    record = FeatureRecord(content, times, v)
    assert record_from_json(record_to_json(record), v) == record
    assert isinstance(values_to_json(content), bytes)
