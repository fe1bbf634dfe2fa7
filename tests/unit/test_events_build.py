"""Building a table from events: what is kept, what is refused, and with which sentence."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ebb.errors import ContractError, DataError, EbbError
from tests.fakes.shop import (
    CONTRACT,
    FAR,
    GONE,
    RETURNED,
    SNAPSHOT,
    VISITS,
    Event,
    by_hand,
    rows_of,
    write_events,
    write_shop,
)
from training.events import Built, build_table

_DAY = timedelta(days=1)
EVENTS: list[Event] = [
    ("ann", -3 * _DAY, 2, "york"),
    ("ann", -2 * _DAY, -1, "york"),
    ("ann", 2 * _DAY, 1, "york"),
    ("bob", -_DAY, 1, "bath"),
    ("bob", 3 * _DAY, -1, "bath"),
    ("cy", 4 * _DAY, 1, "bath"),
    (None, -_DAY, 1, "bath"),
    FAR,
]


def _built(
    folder: Path, data: Path | None = None, files: Mapping[str, str] | None = None, *, labelled: bool = True
) -> Built:
    contract = write_shop(folder, **(files or {}))
    data = data or write_events(folder / "events.parquet", EVENTS)
    return build_table(contract, data, [SNAPSHOT], folder / "out.parquet", labelled=labelled)


def test_a_row_an_entity_known_before_the_snapshot(tmp_path: Path) -> None:
    built = _built(tmp_path)
    assert rows_of(built.out) == by_hand(EVENTS)
    assert set(rows_of(built.out)) == {"ann", "bob"}
    assert built.rows == {SNAPSHOT: 2}
    assert (built.events, built.first, built.last) == (7, SNAPSHOT - 3 * _DAY, SNAPSHOT + 30 * _DAY)
    assert built.notes == ["1 of 8 events name no entity ('who' is missing) and are left out"]
    table = pq.read_table(built.out)
    assert table.column_names == ["customer", "snapshot_time", "visits", "returned", "days_since", "city", "gone"]
    assert set(table["snapshot_time"].to_pylist()) == {SNAPSHOT}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_without_the_label_the_snapshot_may_be_the_latest(tmp_path: Path) -> None:
    built = _built(tmp_path, labelled=False)
    assert "gone" not in pq.read_table(built.out).column_names


def test_an_event_exactly_at_the_snapshot_is_the_futures(tmp_path: Path) -> None:
    tick = timedelta(microseconds=1)
    events: list[Event] = [("ann", -tick, 1, "york"), ("bob", 0 * tick, 1, "bath"), ("bob", -_DAY, 1, "bath"), FAR]
    rows = rows_of(_built(tmp_path, write_events(tmp_path / "e.parquet", events)).out)
    assert rows["ann"][0] == 1
    assert rows["bob"] == (1, None, 1.0, "bath", False)


def test_an_event_exactly_at_the_snapshot_is_kept_from_sql_that_does_not_look_away(tmp_path: Path) -> None:
    careless = """\
SELECT e.entity_id, s.snapshot_time, COUNT(*) AS visits, 1 AS days_since, MAX(e.city) AS city
FROM snapshots AS s CROSS JOIN events AS e GROUP BY e.entity_id, s.snapshot_time
"""
    tick = timedelta(microseconds=1)
    events: list[Event] = [("bob", moment * tick, 1, "bath") for moment in (-1, 0, 1)]
    contract = write_shop(tmp_path, visits=careless)
    data, out = write_events(tmp_path / "e.parquet", events), tmp_path / "out.parquet"
    rows = rows_of(build_table(contract, data, [SNAPSHOT], out, labelled=False).out)
    assert rows["bob"][0] == 1


def test_several_snapshots_stand_in_one_table_by_time_and_customer(tmp_path: Path) -> None:
    contract = write_shop(tmp_path)
    data = write_events(tmp_path / "e.parquet", EVENTS)
    moments = [SNAPSHOT + 5 * _DAY, SNAPSHOT]
    built = build_table(contract, data, moments, tmp_path / "out.parquet", labelled=True)
    rows = pq.read_table(built.out).to_pylist()
    keys = [(row["snapshot_time"], row["customer"]) for row in rows]
    assert keys == sorted(keys)
    assert [who for when, who in keys if when == SNAPSHOT] == ["ann", "bob"]
    assert [who for when, who in keys if when > SNAPSHOT] == ["ann", "bob", "cy"]
    alone = build_table(contract, data, [SNAPSHOT], tmp_path / "alone.parquet", labelled=True)
    assert pq.read_table(alone.out).to_pylist() == [row for row in rows if row["snapshot_time"] == SNAPSHOT]


def test_the_same_events_give_the_same_bytes(tmp_path: Path) -> None:
    first = _built(tmp_path).out.read_bytes()
    assert _built(tmp_path).out.read_bytes() == first


@pytest.mark.parametrize(
    "times",
    [
        lambda at: pa.array(at, pa.timestamp("us", "UTC")),
        lambda at: pa.array(at, pa.timestamp("ns", "Europe/London")),
        lambda at: pa.array([t.isoformat() for t in at]),
        lambda at: pa.array([t.isoformat().replace("+00:00", "").replace("T", " ") for t in at]),
        lambda at: pa.array([(t.replace(tzinfo=None) + 2 * timedelta(hours=1)).isoformat() + "+02:00" for t in at]),
        lambda at: pa.array([int(t.timestamp()) for t in at], pa.int64()),
        lambda at: pa.array([t.timestamp() for t in at], pa.float64()),
    ],
    ids=["utc", "a zone", "iso with zone", "iso without", "iso elsewhere", "epoch", "epoch fraction"],
)
def test_times_mean_the_same_moment_however_they_are_written(
    tmp_path: Path, times: Callable[[list[datetime]], pa.Array]
) -> None:
    at = times([SNAPSHOT + when for _, when, *_ in EVENTS])
    assert rows_of(_built(tmp_path, write_events(tmp_path / "e.parquet", EVENTS, at=at)).out) == by_hand(EVENTS)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (pa.array([17850.0, None, float("nan")]), ["17850"]),
        (pa.array([7, 7, 8], pa.int32()), ["7", "8"]),
        (pa.array(["007", " ", None]), ["007"]),
    ],
    ids=["floats", "integers", "texts"],
)
def test_keys_are_whole_numbers_or_texts_as_spelled(tmp_path: Path, keys: pa.Array, expected: list[str]) -> None:
    events: list[Event] = [("x", -_DAY, 1, "york")] * 3
    data = write_events(tmp_path / "e.parquet", events, who=keys)
    assert list(rows_of(_built(tmp_path, data, labelled=False).out)) == expected


def test_csv_and_folders_are_read_likewise(tmp_path: Path) -> None:
    write_events(tmp_path / "e.parquet", EVENTS)
    table = pq.read_table(tmp_path / "e.parquet")
    (tmp_path / "csvs").mkdir()
    (tmp_path / "parts [1]").mkdir()
    for i, half in enumerate((table.slice(0, 4), table.slice(4))):
        pyarrow.csv.write_csv(half, tmp_path / "csvs" / f"{i}.csv")
        pq.write_table(half, tmp_path / "parts [1]" / f"{i}*.parquet")
    for data in ("csvs", "parts [1]"):
        assert rows_of(_built(tmp_path, tmp_path / data).out) == by_hand(EVENTS)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("IS_NAN(e.weight)", ["bob"]),
        ("NOT IS_NAN(e.weight)", ["ann", "cy"]),
        ("IS_NAN(e.weight) AND e.city = 'bath'", ["bob"]),
        ("e.weight < 5", ["ann", "cy"]),
        ("e.weight IS NULL", ["dee"]),
    ],
)
def test_nan_is_seen_though_the_statistics_of_a_file_leave_it_out(
    tmp_path: Path, ending: str, kind: pa.DataType, condition: str, kept: list[str]
) -> None:
    weights = pa.array([1.0, float("nan"), 2.0, None], kind)
    events: list[Event] = [(who, -_DAY, 1, "bath") for who in ("ann", "bob", "cy", "dee")]
    data = write_events(tmp_path / "e.parquet", events, weight=weights)
    if ending == "csv":
        data = tmp_path / "e.csv"
        pyarrow.csv.write_csv(pq.read_table(tmp_path / "e.parquet"), data)
    visits = VISITS.replace("GROUP BY", f"WHERE {condition}\nGROUP BY")
    assert sorted(rows_of(_built(tmp_path, data, {"visits": visits}, labelled=False).out)) == kept


def _columns(**columns: Any) -> Callable[[Path], Path]:
    return lambda folder: write_events(folder / "e.parquet", EVENTS[:2], **columns)


def _bytes(content: bytes, name: str = "e.parquet") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda folder: folder / "none.parquet", "there is no file or folder"),
        (lambda folder: folder, "holds no .parquet and no .csv"),
        (_bytes(b""), "is empty"),
        (_bytes(b"PAR1 and nothing more"), "cannot be read"),
        (_bytes(b"a,b\n1,2\n", "e.csv"), "the events have no column 'who'"),
        (_columns(who=pa.array([1.5, 2.0])), "1 events have no whole number in 'who'"),
        (_columns(who=pa.array([True, False])), "the column 'who' of"),
        (_columns(who=pa.array([None, None], pa.string())), "none of 2 events has both"),
        (_columns(at=pa.array(["yesterday", "2024-03-01"])), "1 events have no ISO 8601 time in 'at'"),
        (_columns(at=pa.array([[1], [2]])), "must hold times, dates, ISO 8601 texts or epoch seconds"),
        (_columns(event_time=pa.array([1, 2])), "has a column 'event_time', but the SQL knows 'at' by this name"),
    ],
)
def test_events_that_cannot_be_used_are_refused(tmp_path: Path, write: Callable[[Path], Path], says: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with pytest.raises(EbbError, match=re.escape(says)):
        _built(tmp_path, write(folder), labelled=False)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("visits", VISITS.replace("e.city", "e.citty"), "visits.sql: Unknown column: citty; the events have"),
        ("visits", VISITS.replace("AS visits", "AS visit"), "visits.sql yields no column 'visits'; it yields"),
        ("visits", VISITS.replace("COUNT(*) AS visits", "ARRAY[1] AS visits"), "as INTEGER[], which is no integer"),
        ("visits", VISITS.replace("COUNT(*) AS visits", "'x' AS visits"), "as VARCHAR, which is no integer"),
        ("visits", VISITS.replace("    s.snapshot_time,\n", "", 1), "yields no column 'snapshot_time'"),
        ("visits", VISITS.replace("e.entity_id,\n", "CAST(1 AS BIGINT) AS entity_id,\n", 1), "uncast"),
        ("visits", VISITS.replace(", s.snapshot_time\n", ", s.snapshot_time, e.amount\n"), "more than one row for an"),
        ("visits", VISITS.replace("e.entity_id,\n", "NULLIF(e.entity_id, 'ann') AS entity_id,\n", 1), "without an ent"),
        (
            "visits",
            VISITS.replace("    s.snapshot_time,", "s.snapshot_time + INTERVAL '1' DAY AS snapshot_time,"),
            "rows",
        ),
        ("returned", RETURNED.replace("-SUM(e.amount)", "CAST(MAX(e.city) AS BIGINT)"), "Could not convert string ..."),
        ("gone", GONE.replace("LEFT JOIN", "JOIN"), "gives no outcome to 1 entities at the snapshot 2024-03-10"),
        ("gone", GONE.replace("AS gone", "AS left"), "yields no column 'gone'"),
        (
            "gone",
            GONE.replace("entities AS c", "snapshots AS c"),
            "it selects from snapshots AS c, but only entities and",
        ),
    ],
)
def test_sql_that_does_not_keep_its_word_is_refused(tmp_path: Path, file: str, text: str, says: str) -> None:
    assert text not in {VISITS, RETURNED, GONE}
    before = tmp_path / "out.parquet"
    before.write_text("kept")
    with pytest.raises(EbbError, match=re.escape(says)) as caught:
        _built(tmp_path, files={file: text})
    assert "york" not in str(caught.value)
    assert before.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            'entity = "who"',
            'entity = "whom"',
            'entity = "whom"',
            "the events have no column 'whom'; did you mean 'who'?",
        ),
        ('time = "at"', 'time = "city"', "", "ISO 8601"),
        ('label = "gone.sql"', 'label = "none.sql"', 'label = "none.sql"', "none.sql cannot be read"),
        ('"returned.sql"', '"none.sql"', 'sql = "none.sql"', "none.sql cannot be read (No such file or directory)"),
        ('name = "days_since"', 'name = "days"', None, "yields no column 'days'"),
    ],
)
def test_a_contract_that_does_not_fit_names_its_line(
    tmp_path: Path, old: str, new: str, line: str | None, says: str
) -> None:
    text = CONTRACT.replace(old, new, 1)
    with pytest.raises(EbbError, match=re.escape(says)) as caught:
        _built(tmp_path, files={"contract": text})
    if line is None:
        line = text.splitlines()[text.splitlines().index(new) + 2]
    if line:
        assert isinstance(caught.value, ContractError)
        assert caught.value.line is not None
        assert text.splitlines()[caught.value.line - 1] == line


def test_an_immature_snapshot_is_refused_and_the_latest_mature_one_named(tmp_path: Path) -> None:
    contract, data = write_shop(tmp_path), write_events(tmp_path / "e.parquet", EVENTS)
    last = SNAPSHOT + 20 * _DAY
    build_table(contract, data, [last], tmp_path / "out.parquet", labelled=True)
    with pytest.raises(DataError, match=r"2024-03-31 is not mature.* on 2024-04-10.*latest mature one is 2024-03-30"):
        build_table(contract, data, [SNAPSHOT, last + _DAY], tmp_path / "out.parquet", labelled=True)
    young = write_events(tmp_path / "young.parquet", EVENTS[:2])
    with pytest.raises(DataError, match="no snapshot is mature, for the first event is of 2024-03-07"):
        build_table(contract, young, [SNAPSHOT], tmp_path / "out.parquet", labelled=True)


def test_the_latest_snapshot_is_the_last_mature_one_or_just_after_all_events(tmp_path: Path) -> None:
    contract, data = write_shop(tmp_path), write_events(tmp_path / "e.parquet", EVENTS)
    mature = build_table(contract, data, [], tmp_path / "out.parquet", labelled=True)
    assert mature.rows == {SNAPSHOT + 20 * _DAY: 3}
    known = build_table(contract, data, [], tmp_path / "out.parquet", labelled=False)
    assert sum(row[0] for row in rows_of(known.out).values()) == known.events
    young = write_events(tmp_path / "young.parquet", EVENTS[:2])
    with pytest.raises(DataError, match="no snapshot is mature"):
        build_table(contract, young, [], tmp_path / "out.parquet", labelled=True)


def test_a_snapshot_before_all_events_or_long_after_them_is_told(tmp_path: Path) -> None:
    contract, data = write_shop(tmp_path), write_events(tmp_path / "e.parquet", EVENTS)
    with pytest.raises(DataError, match="no entity has features at the snapshot 2023-01-01: the first event is of"):
        build_table(contract, data, [datetime(2023, 1, 1, tzinfo=UTC)], tmp_path / "o.parquet", labelled=False)
    late = build_table(contract, data, [datetime(2025, 1, 1, tzinfo=UTC)], tmp_path / "o.parquet", labelled=False)
    assert "the last event is of 2024-04-09: is it all there is before 2025-01-01?" in late.notes


def test_columns_for_nothing_are_noted(tmp_path: Path) -> None:
    built = _built(tmp_path, files={"visits": VISITS.replace("COUNT(*) AS visits", "COUNT(*) AS visits, 1 AS one")})
    assert "visits.sql yields columns that no feature of the contract names: one" in built.notes


def test_what_cannot_be_written_or_built_is_refused(tmp_path: Path) -> None:
    contract, data = write_shop(tmp_path), write_events(tmp_path / "e.parquet", EVENTS)
    with pytest.raises(DataError, match="there is no folder"):
        build_table(contract, data, [SNAPSHOT], tmp_path / "none" / "out.parquet", labelled=False)
    unlabelled = write_shop(tmp_path, contract=CONTRACT.replace('label = "gone.sql"\n', ""))
    with pytest.raises(ContractError, match="`label` is missing from"):
        build_table(unlabelled, data, [SNAPSHOT], tmp_path / "out.parquet", labelled=True)
    tables = re.sub(r"\n\[events\][^[]*", "\n", re.sub(r'sql = "\w+.sql"\n', "", CONTRACT))
    with pytest.raises(ContractError, match=r"has no \[events\]"):
        build_table(write_shop(tmp_path, contract=tables), data, [SNAPSHOT], tmp_path / "o.parquet", labelled=False)
