"""One SQL text for two engines: what is refused, and where the dialects differ without saying so."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot

from ebb.errors import DataError
from tests.fakes.shop import SNAPSHOT, write_shop
from tests.home import ROOT
from training.events.athena import athena_text
from training.events.plan import read_plan
from training.events.portable import read_sql
from training.events.relations import FEATURES, LABEL, EventColumns

_EVENTS = {"entity_id": "BIGINT", "event_time": "TIMESTAMP", "Quantity": "BIGINT", "price": "DOUBLE"}
_RELATIONS = {"events": _EVENTS, "snapshots": {"snapshot_time": "TIMESTAMP"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select entity_id, from events where", "x.sql cannot be read as Trino SQL: "),
        ("select 'abc", "x.sql cannot be read as Trino SQL: "),
        ("", "must hold one SELECT and nothing else"),
        ("select 1; select 2", "must hold one SELECT and nothing else"),
        ("drop table events", "must hold one SELECT and nothing else"),
        ("select * from evnts", "it selects from evnts, but only events and snapshots are there"),
        ("select * from other.events", "it selects from other.events"),
        ("select * from read_parquet('/etc/passwd')", "it selects from READ_PARQUET"),
        ("select * from events cross join lateral read_csv('/etc/passwd') as x", "it selects from LATERAL READ_CSV"),
        ("select * from (with raw as (select 1 as a) select a from raw), raw", "it selects from raw"),
        ("with a as (select * from raw), raw as (select 1 as b) select * from a", "it selects from raw"),
        ("with raw as (select * from raw) select * from raw", "it selects from raw"),
        ("with events as (select 1 as a) select * from events", "a relation of its own 'events'"),
        ("select now() as a from events", "CURRENT_TIMESTAMP would give another table with every run"),
        ("select rand() as a from events", "would give another table with every run"),
        ("select 1 as a, 2 as A from events", "two columns named 'a'"),
        ("select " + "(" * 5000 + "1" + ")" * 5000, "cannot be read as Trino SQL"),
    ],
)
def test_what_is_no_portable_select_is_refused(text: str, says: str) -> None:
    with pytest.raises(DataError, match=re.escape(says)):
        read_sql(text, "x.sql", FEATURES)


def _answer(select: str) -> object:
    """Run one expression on a single event through the translation."""
    with duckdb.connect() as connection:
        connection.execute("create table events as select 1::bigint entity_id, timestamp '2024-01-01 23:00' event_time")
        connection.execute("alter table events add column quantity bigint default 7")
        connection.execute("alter table events add column price double default 7")
        sql = read_sql(f"SELECT {select} AS x FROM events AS e", "x.sql", FEATURES)  # noqa: S608 - of this test
        row = connection.execute(sql.to_duckdb(_RELATIONS)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("select", "answer"),
    [
        ("e.Quantity / 2", 3),
        ("-e.Quantity / 2", -3),
        ("e.price / 2", 3.5),
        ("SUM(e.Quantity) / COUNT(*)", 7),
        ("e.Quantity / 2E0", 3.5),
        ("DATE_DIFF('day', e.event_time, TIMESTAMP '2024-01-02 01:00:00')", 0),
        ("DATE_DIFF('day', e.event_time, TIMESTAMP '2024-01-02 23:00:00')", 1),
        ("DATE_DIFF('hour', e.event_time, TIMESTAMP '2024-01-02 00:59:59')", 1),
        ("DATE_DIFF('month', e.event_time, TIMESTAMP '2024-03-01 00:00:00')", 1),
        ("e.event_time - INTERVAL '1' DAY < TIMESTAMP '2024-01-01 00:00:00'", True),
        ("MAX_BY(e.Quantity, e.event_time)", 7),
    ],
)
def test_the_translation_answers_as_trino_does(select: str, answer: object) -> None:
    assert _answer(select) == answer


def test_what_it_yields_is_known_before_it_runs() -> None:
    sql = read_sql("select entity_id, Quantity as Many from events;\n-- the end", "x.sql", FEATURES)
    assert sql.yields == ["entity_id", "many"]
    with pytest.raises(DataError, match=r"x.sql: .*'entity_id', 'event_time', 'Quantity', 'price'"):
        read_sql("select quantty from events", "x.sql", FEATURES).to_duckdb(_RELATIONS)


def test_the_text_for_athena_parses_and_holds_its_relations(tmp_path: Path) -> None:
    plan = read_plan(write_shop(tmp_path))
    columns = EventColumns({"who": "VARCHAR", "at": "VARCHAR", "amount": "BIGINT", "city": "VARCHAR"}, "who", "at")
    known = replace(columns, complete=True)
    text = athena_text(plan, "visits.sql", SNAPSHOT, columns=known, table="shop.events")
    assert "NOT entity_id IS NULL" in " ".join(text.split())
    (parsed,) = sqlglot.parse(text, read="athena")
    assert parsed is not None
    assert [cte.alias for cte in parsed.find_all(sqlglot.exp.CTE)] == ["events", "snapshots"]
    assert "event_time < CAST('2024-03-10 00:00:00.000000' AS TIMESTAMP(6))" in " ".join(text.split())
    assert "FROM_ISO8601_TIMESTAMP" in text
    assert "shop.events" in text
    label = athena_text(plan, "gone.sql", SNAPSHOT, columns=columns, table="shop.events", features="shop.features")
    assert "2024-03-20 00:00:00" in label
    assert "shop.features" in label
    (parsed,) = sqlglot.parse(label, read="athena")
    assert parsed is not None
    with pytest.raises(KeyError):
        athena_text(plan, "none.sql", SNAPSHOT, columns=columns, table="shop.events")


def test_the_shipped_files_are_portable_and_keep_their_own_relations() -> None:
    plan = read_plan(ROOT / "training/contracts/online_retail.toml")
    assert set(plan.sets) == {"online_retail_orders.sql", "online_retail_returns.sql"}
    assert plan.label is not None
    kinds = {"InvoiceNo": "VARCHAR", "StockCode": "VARCHAR", "Quantity": "BIGINT", "UnitPrice": "DOUBLE"}
    columns = EventColumns(
        {**kinds, "InvoiceDate": "TIMESTAMP", "CustomerID": "DOUBLE", "Country": "VARCHAR"}, "CustomerID", "InvoiceDate"
    )
    for file in (*plan.sets, plan.events.label or ""):
        when = datetime(2011, 9, 10, tzinfo=UTC)
        text = athena_text(plan, file, when, columns=columns, table="shop.orders", features="shop.features")
        (parsed,) = sqlglot.parse(text, read="athena")
        assert parsed is not None
        names = [cte.alias for cte in parsed.find_all(sqlglot.exp.CTE)]
        assert names[:2] in (["events", "snapshots"], ["events", "entities"])
        tables = {table.sql("athena").split(" AS ")[0] for table in parsed.find_all(sqlglot.exp.Table)}
        assert tables - set(names) <= {"shop.orders", "shop.features"}


def test_labels_and_features_see_different_relations() -> None:
    read_sql("select * from entities", "x.sql", LABEL)
    with pytest.raises(DataError, match="only events and snapshots"):
        read_sql("select * from entities", "x.sql", FEATURES)
