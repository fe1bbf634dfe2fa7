"""The built table: who has two rows in a part is refused by the part's name, however many parts there are."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.errors import DataError
from training.events.engine import Engine, open_engine
from training.events.sets import Column
from training.events.table import Part, gather_keys, join_parts, table_file

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


def snapshot_of(names: list[str]) -> pa.Table:
    """Return a small snapshot."""
    return pa.table({"who": names, "f": list(range(len(names)))})


def test_rows_are_sorted_within_each_snapshot_and_snapshots_follow_each_other(engine: Engine, tmp_path: Path) -> None:
    names = [f"who {i * 7_919 % 5_000:04d}" for i in range(5_000)]
    with table_file(tmp_path / "t.parquet") as file:
        for number in (1, 0):
            parts = [part(engine, 0, names[number:]), part(engine, 1, names[: 2_000 + number])]
            gather_keys(engine, parts, SNAPSHOT)
            joined = join_parts(engine, "who", parts, ["f1", "f0"])
            assert joined.num_rows == len(names)
            file.append(joined)
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column_names == ["who", "snapshot_time", "f1", "f0"]
    assert table["who"].to_pylist() == sorted(names) * 2
    assert table["f1"].null_count == 2 * 3_000 - 1
    where = {name: i for i, name in enumerate(names)}
    assert table["f0"].to_pylist()[-5_000:] == [where[name] for name in sorted(names)]


def write(out: Path, *tables: pa.Table, fail: Callable[[], None] = lambda: None) -> None:
    """Write tables, with what goes wrong before the first of them."""
    with table_file(out) as file:
        fail()
        for table in tables:
            file.append(table)


def test_a_table_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    out.write_bytes(b"before")
    with pytest.raises(ValueError, match="schema"):
        write(out, snapshot_of(["ann"]), pa.table({"who": ["bob"]}), snapshot_of(["cid"]))
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
    assert out.read_bytes() == b"before"


def test_what_the_disk_refuses_is_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "gone" / "t.parquet"
    out.parent.mkdir()
    with pytest.raises(DataError, match=r"t\.parquet cannot be written: .*; nothing was kept"):
        write(out, snapshot_of(["ann"]), fail=lambda: shutil.rmtree(out.parent))
    assert list(tmp_path.iterdir()) == []
