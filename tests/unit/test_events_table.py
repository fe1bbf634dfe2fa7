"""The built table: who has two rows in a part is refused by the part's name, however many parts there are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ebb.errors import DataError
from training.events.engine import Engine, open_engine
from training.events.sets import Column
from training.events.table import Part, gather_keys, join_parts, write_table

SNAPSHOT = datetime(2024, 3, 1, tzinfo=UTC)
MANY = 64


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path / "spill") as made:
        yield made


def part(engine: Engine, number: int, who: list[str]) -> Part:
    """Make a part whose one column is the number of the entity's row."""
    rows = ", ".join(f"('{name}', {i})" for i, name in enumerate(who))
    moment = "TIMESTAMP '2024-03-01' AS snapshot_time"
    engine.run(
        f"CREATE OR REPLACE TEMP TABLE set_{number} AS SELECT entity_id, {moment}, row AS f{number} "  # noqa: S608 - own
        f"FROM (VALUES {rows}) AS made(entity_id, row)",
        "a part",
    )
    return Part(f"{number}.sql", f"set_{number}", [Column(f"f{number}", None, ())], ["INTEGER"])


@pytest.mark.parametrize("sets", [1, 2, 3, MANY])
def test_everybody_in_any_part_is_known_once(engine: Engine, sets: int) -> None:
    parts = [part(engine, i, ["ann", f"only {i}"]) for i in range(sets)]
    assert gather_keys(engine, parts, SNAPSHOT) == 1 + sets


@pytest.mark.parametrize("sets", [1, 2, 3, MANY])
@pytest.mark.parametrize("last", [False, True])
def test_who_stands_twice_in_a_part_is_refused(engine: Engine, sets: int, *, last: bool) -> None:
    twice = sets - 1 if last else 0
    parts = [part(engine, i, ["ann", "bob", "ann", "ann"] if i == twice else ["bob"]) for i in range(sets)]
    with pytest.raises(DataError, match=rf"^{twice}\.sql yields more than one row .* 2024-03-01 \(2 too many\)"):
        gather_keys(engine, parts, SNAPSHOT)


def test_rows_are_sorted_within_each_snapshot_and_snapshots_follow_each_other(engine: Engine, tmp_path: Path) -> None:
    names = [f"who {i * 7_919 % 5_000:04d}" for i in range(5_000)]
    for number in (1, 0):
        parts = [part(engine, 0, names[number:]), part(engine, 1, names[: 2_000 + number])]
        gather_keys(engine, parts, SNAPSHOT)
        assert join_parts(engine, "who", parts, ["f1", "f0"], f"built_{number}") == len(names)
    write_table(engine, ["built_1", "built_0"], tmp_path / "t.parquet", lambda _: None)
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column_names == ["who", "snapshot_time", "f1", "f0"]
    assert table["who"].to_pylist() == sorted(names) * 2
    assert table["f1"].null_count == 2 * 3_000 - 1
    where = {name: i for i, name in enumerate(names)}
    assert table["f0"].to_pylist()[-5_000:] == [where[name] for name in sorted(names)]
