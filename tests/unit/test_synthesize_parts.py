"""The parts of the synthetic world: shares, chunks, names, ranges and gaps."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from ebb.contract import Kind, parse_contract
from training.synthesize.columns import FLAGS, INTEGERS, KEY, LABEL, NUMBERS, keys, table_of
from training.synthesize.customers import draw_customers, log_hazard, probability
from training.synthesize.world import CELLS, CITIES, chunk_random, make_world, named
from training.synthesize.write import CHUNK_ROWS, make_chunk

CONTRACT = Path(__file__).resolve().parents[2] / "training" / "contracts" / "synthetic.toml"


def test_a_world_is_whole() -> None:
    world = make_world(0)
    assert world.cell_share[-1] == pytest.approx(1)
    assert (np.diff(world.cell_share) > 0).all()
    assert set(world.cell_city) == set(range(CITIES))
    assert len(world.cell_city) == CELLS
    assert ((world.city_group_b >= 0) & (world.city_group_b <= 1)).all()
    assert np.ptp(world.city_group_b) > 0.5


def test_worlds_differ_by_their_seed_and_only_by_it() -> None:
    first, again, other = make_world(1), make_world(1), make_world(2)
    np.testing.assert_array_equal(first.city_effect, again.city_effect)
    assert not np.array_equal(first.city_effect, other.city_effect)


def test_chunks_are_drawn_apart() -> None:
    draws = [chunk_random(seed, chunk).random(4).tolist() for seed in (0, 1) for chunk in (0, 1, 2)]
    assert len({tuple(draw) for draw in draws}) == 6
    assert draws[0] == chunk_random(0, 0).random(4).tolist()


def test_chunks_may_be_made_in_any_order() -> None:
    world = make_world(0)
    forwards = [make_chunk(world, 0, chunk, 50) for chunk in (0, 1)]
    backwards = [make_chunk(world, 0, chunk, 50) for chunk in (1, 0)]
    assert forwards[0][0].equals(backwards[1][0])
    assert forwards[1][1].equals(backwards[0][1])


def test_keys_and_names() -> None:
    assert keys(1, 2).to_pylist() == ["C00000001", "C00000002"]
    assert keys(99_999_999, 1).to_pylist() == ["C99999999"]
    assert named("city", 3, np.array([7, 0]), 300).tolist() == ["city-007", "city-000"]


def test_every_value_lies_within_the_contract() -> None:
    contract = parse_contract(CONTRACT.read_text())
    world = make_world(4)
    table, truth = make_chunk(world, 4, 0, CHUNK_ROWS)
    assert table.column_names == [KEY, *(f.name for f in contract.features), LABEL]
    assert truth.column_names == [KEY, "probability"]
    assert {f.name for f in contract.numbers} == {*NUMBERS, *INTEGERS, *FLAGS}
    for feature in contract.features:
        column = table[feature.column]
        if feature.kind in {Kind.NUMBER, Kind.INTEGER}:
            low, high = pc.min_max(column).as_py().values()
            assert feature.minimum is not None
            assert feature.maximum is not None
            assert feature.minimum <= low < high <= feature.maximum, feature.name
        if feature.categories:
            assert set(column.drop_null().to_pylist()) == set(feature.categories)
        assert feature.missing == (column.null_count > 0), feature.name


def test_every_feature_says_something_about_the_outcome_or_stands_for_one_that_does() -> None:
    world = make_world(0)
    customers = draw_customers(chunk_random(0, 0), world, CHUNK_ROWS)
    told = log_hazard(world, customers)
    for name in ("satisfaction", "support_tickets_90d", "days_since_login", "monthly_charges", "late_payments_12m"):
        moved = dict(customers.columns)
        moved[name] = np.random.default_rng(1).permutation(moved[name])
        assert not np.array_equal(log_hazard(world, type(customers)(moved, customers.group_b)), told), name


def test_labels_follow_the_truth() -> None:
    world = make_world(0)
    random = chunk_random(0, 0)
    customers = draw_customers(random, world, CHUNK_ROWS)
    truth = probability(log_hazard(world, customers))
    assert ((truth > 0) & (truth <= 1)).all()
    all_stay = table_of(random, 1, customers, np.zeros(CHUNK_ROWS, bool))
    assert pc.any(all_stay[LABEL]).as_py() is False
    assert all_stay["population_group"].to_numpy(zero_copy_only=False).tolist() == [
        "B" if b else "A" for b in customers.group_b
    ]
