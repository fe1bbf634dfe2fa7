"""Tables with an entity at several moments: key and event time are found, and no entity counts twice."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from ebb.contract import parse_contract
from training.dataset import accept_table
from training.describe import Description, describe, render

ROWS = 240
MONTHS = [date(2024, 1 + i % 6, 1) for i in range(ROWS)]
KEYS = [f"C{i // 6:03d}" for i in range(ROWS)]
RANDOM = np.random.default_rng(3)
BASE = {"n": RANDOM.random(ROWS).tolist(), "y": (RANDOM.random(ROWS) < 0.3).tolist()}


def described(columns: Mapping[str, object], entity: str | None = None) -> Description:
    return describe(pa.table({**columns, **BASE}), "y", entity=entity, name="x")


@pytest.mark.parametrize(
    "moments",
    [
        MONTHS,
        [month.isoformat() for month in MONTHS],
        [f"{month}T10:00:00" for month in MONTHS],
        [datetime(month.year, month.month, 1) for month in MONTHS],  # noqa: DTZ001 - a table's own clock
    ],
)
def test_repeated_keys_ask_for_a_moment(moments: object) -> None:
    columns: dict[str, object] = {"customer_id": KEYS, "snapshot_date": moments}
    found = described(columns)
    assert (found.entity, found.event_time) == ("customer_id", "snapshot_date")
    contract = parse_contract(render(found))
    assert contract.event_time == "snapshot_date"
    assert [feature.name for feature in contract.features] == ["n"]
    data = accept_table(contract, pa.table({**columns, **BASE}), labelled=True, source="t")
    assert data.groups is not None
    assert int(np.max(data.groups)) == ROWS // 6 - 1


def test_seconds_are_moments_by_their_name() -> None:
    seconds = [1_700_000_000 + 60 * i for i in range(ROWS)]
    assert described({"customer_id": KEYS, "created_at": seconds}).event_time == "created_at"
    assert described({"customer_id": KEYS, "amount": seconds}).event_time is None


def test_a_key_that_never_repeats_needs_no_moment() -> None:
    found = described({"customer_id": [f"C{i:04d}" for i in range(ROWS)], "snapshot_date": MONTHS})
    assert (found.entity, found.event_time) == ("customer_id", None)


def test_the_key_asked_for_may_have_any_name() -> None:
    columns = {"who": KEYS, "when": [month.isoformat() for month in MONTHS]}
    assert described(columns).event_time is None
    found = described(columns, entity="who")
    assert (found.entity, found.event_time) == ("who", "when")


def test_moments_that_repeat_with_their_key_are_none() -> None:
    twice = [MONTHS[i // 2 * 2] for i in range(ROWS)]
    found = described({"customer_id": KEYS, "snapshot_date": twice})
    assert (found.entity, found.event_time) == (None, None)
    late = [month + timedelta(days=i) for i, month in enumerate(MONTHS)]
    assert described({"customer_id": KEYS, "cancelled_on": late}).event_time is None


def test_a_key_that_never_repeats_goes_before_keys_of_other_things() -> None:
    found = described({"id": [f"C{i:04d}" for i in range(ROWS)], "shop_id": KEYS, "day": MONTHS})
    assert (found.entity, found.event_time) == ("id", None)
    plans = [f"p{i % 4}" for i in range(ROWS)]
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(ROWS)]
    assert described({"plan_id": plans, "joined_on": days}).entity is None
