"""The reach of events as parquet files note it is the reach that reading them gives, or there is none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.events.engine import open_engine
from training.events.reach import Source, noted
from training.events.relations import EventColumns, events_before

FIRST = datetime(2024, 3, 1, 5, 6, 7, 89_000, tzinfo=UTC)
TYPES = {"who": "BIGINT", "at": "TIMESTAMP"}
KEYS = pa.array(range(40), pa.int64())


def times(unit: str = "us", zone: str | None = None, missing: int | None = None) -> pa.Array:
    told = [FIRST + timedelta(hours=i * 7 % 40) for i in range(40)]
    return pa.array([when if i != missing else None for i, when in enumerate(told)], pa.timestamp(unit, zone))


def look(folder: Path, types: dict[str, str] = TYPES) -> tuple[Source | None, list[int]]:
    told: list[int] = []
    files = "[" + ", ".join(f"'{file}'" for file in sorted(folder.glob("*.parquet"))) + "]"
    with open_engine(folder / "spill") as engine:
        return noted(engine, EventColumns(types, "who", "at"), files, told.append), told


def write(folder: Path, name: str, table: pa.Table, *, statistics: bool = True) -> None:
    pq.write_table(table, folder / f"{name}.parquet", row_group_size=7, write_statistics=statistics)


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (times(), "TIMESTAMP"),
        (times("ms"), "TIMESTAMP"),
        (times("us", "UTC"), "TIMESTAMP WITH TIME ZONE"),
        (times("ms", "Asia/Tokyo"), "TIMESTAMP WITH TIME ZONE"),
    ],
    ids=["plain", "milliseconds", "utc", "elsewhere"],
)
def test_it_is_what_reading_gives(tmp_path: Path, at: pa.Array, kind: str) -> None:
    table = pa.table({"who": KEYS, "at": at})
    write(tmp_path, "a", table.slice(0, 13))
    write(tmp_path, "b", table.slice(13))
    write(tmp_path, "empty", table.slice(0, 0))
    found, told = look(tmp_path, {"who": "BIGINT", "at": kind})
    assert found is not None
    assert (found.count, found.first, found.last, found.notes) == (40, FIRST, FIRST + timedelta(hours=39), ())
    assert found.columns.complete
    assert "IS NOT NULL" not in events_before(found.columns, "raw", FIRST)
    assert told == [100]


def test_only_where_all_is_noted_nobody_looks_for_events_without_an_entity() -> None:
    assert "entity_id IS NOT NULL" in events_before(EventColumns(TYPES, "who", "at"), "raw", FIRST)


@pytest.mark.parametrize(
    ("who", "at", "statistics"),
    [
        (KEYS, times(missing=20), True),
        (pa.array([None, *range(39)], pa.int64()), times(), True),
        (KEYS, times(), False),
    ],
    ids=["a time is missing", "an entity is missing", "no statistics"],
)
def test_what_is_not_all_said_must_be_read(tmp_path: Path, who: pa.Array, at: pa.Array, *, statistics: bool) -> None:
    write(tmp_path, "a", pa.table({"who": KEYS, "at": times()}))
    write(tmp_path, "b", pa.table({"who": who, "at": at}), statistics=statistics)
    assert look(tmp_path) == (None, [])


@pytest.mark.parametrize("types", [TYPES | {"who": "VARCHAR"}, TYPES | {"who": "DOUBLE"}, TYPES | {"at": "VARCHAR"}])
def test_texts_and_fractions_must_be_read(tmp_path: Path, types: dict[str, str]) -> None:
    write(tmp_path, "a", pa.table({"who": KEYS, "at": times()}))
    assert look(tmp_path, types) == (None, [])


def test_csv_must_be_read(tmp_path: Path) -> None:
    with open_engine(tmp_path / "spill") as engine:
        assert noted(engine, EventColumns(TYPES, "who", "at"), None, lambda _: None) is None
