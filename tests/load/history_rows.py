"""A history of many million rows, made inside Postgres: nothing but statements goes over the wire.

The rows are of 20 features each: whole ones in a bulk load's layout (values only), and, of entities of their own,
partial ones that bring four features in turn, which a read must merge. Each month is filled in the order of its
events, as writes come: the rows of one entity lie far apart.
"""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ebb.errors import Misuse
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.layouts import layout_of
from ebb.postgres.month import Month

MONTHS, WHOLE_ENTITIES, PARTIAL_ENTITIES = 24, 100_000, 20_000
PARTIAL_SHARE = 0.2
BYTES_A_ROW = 290
"""Guessed before they are measured: a row, its index entry, and some air."""

NAMES = [*(f"number_{i:02d}" for i in range(16)), *(f"category_{i}" for i in range(4))]

# What a row takes on the disk does not depend on what others hold: a few hundred contents are enough.
_POOL = """
create temporary table pool as
select n, '[' || string_agg(cell, ',' order by i) || ']' as whole,
    '{' || string_agg(to_json(name) || ':' || cell, ',' order by i) filter (where i % 5 = n % 5) || '}' as part
from cells group by n
"""
_CELLS = """
create temporary table cells as
select n, i, name, case when i <= 16 then ((n * 7919 + i * 104729) % 100000 / 100.0)::float8::text
    else '"' || (array['alpha', 'beta', 'gamma', 'delta'])[n % 4 + 1] || '"' end as cell
from generate_series(0, 499) as numbers(n), unnest(cast(:names as text[])) with ordinality as named(name, i)
"""
_CURRENT = """
insert into features (entity_id, version, event_time, "values", written_at)
select kind || to_char(n, 'FM00000000'), 1, extract(epoch from now()),
    (select jsonb_object_agg(name, 1.5) from unnest(cast(:names as text[])) as name), now()
from (values ('w-', cast(:whole as int)), ('p-', cast(:partial as int))) as kinds(kind, most),
    generate_series(0, most - 1) as n
"""
# Every entity in its turn, in an order that scatters them.
_WHOLE = """
insert into {table} (entity_id, event_time, ingested_at, layout, "values")
select 'w-' || to_char(m * 7919 % {entities}, 'FM00000000'), at, at + interval '1 second' * (m % 7200 + 1),
    {layout}, whole
from (select m, timestamptz '{start}' + (m - {first}) * {step} as at
    from generate_series({first}::bigint, {last}) as m) as made join pool on n = m % 500
order by m
"""
_PARTIAL = """
insert into {table} (entity_id, event_time, ingested_at, "values")
select 'p-' || to_char(m * 7919 % {entities}, 'FM00000000'), at, at + interval '1 second' * (m % 7200 + 1), part
from (select m, timestamptz '{start}' + (m - {first}) * {step} as at
    from generate_series({first}::bigint, {last}) as m) as made
    join pool on n = m / {entities} % 5 + m % 100 * 5
order by m
"""


def need_disk(folder: Path, rows: int) -> int:
    """Return the bytes that so many rows take, as guessed.

    Raises:
        Misuse: the disk of `folder` has not twice that.
    """
    need, free = rows * BYTES_A_ROW, shutil.disk_usage(folder).free
    if free < 2 * need:
        raise Misuse(
            f"{rows:,} rows of history take about {need / 1e9:.1f} GB, and the disk of {folder} must have twice that"
            f" free, but has {free / 1e9:.1f} GB: make room, or ask for fewer rows"
        )
    return need


def months_until_now() -> list[Month]:
    """Return the months of the history, the oldest first; the last one is the present one."""
    present = Month.of(time.time())
    number = present.year * 12 + present.month - 1
    return [Month(n // 12, n % 12 + 1) for n in range(number - MONTHS + 1, number + 1)]


def generate(connect: Callable[[], PostgresConnection], rows: int, done: Callable[[int], None]) -> list[Month]:
    """Fill the history, two months at a time, and the current values of its entities.

    Args:
        connect: returns a connection of its own each time.
        rows: how many in all; a fifth of them are partial.
        done: told how many rows were made.
    """
    months = months_until_now()
    connection = connect()
    with connection.transaction() as own:
        layout = layout_of(own, NAMES)
        own.run(_CURRENT, names=NAMES, whole=WHOLE_ENTITIES, partial=PARTIAL_ENTITIES)
    connection.close()
    partial = int(rows * PARTIAL_SHARE)

    def fill(number: int) -> None:
        month, own = months[number], connect()
        made = [_part(amount, number) for amount in (rows - partial, partial)]
        try:
            _fill_month(own, month, made, layout)
        finally:
            own.close()
        done(sum(last - first + 1 for first, last in made))

    with ThreadPoolExecutor(2) as road:
        list(road.map(fill, range(MONTHS)))
    return months


def _part(amount: int, number: int) -> tuple[int, int]:
    """Return the first and last of the rows of a month, counted through all months."""
    return amount * number // MONTHS, amount * (number + 1) // MONTHS - 1


def _fill_month(connection: PostgresConnection, month: Month, made: list[tuple[int, int]], layout: int) -> None:
    """Fill a table, then index and attach it: what its own transaction made needs no log (wal_level minimal)."""
    start, end, table = month.start, month.next.start, month.table
    with connection.transaction() as own:
        own.run("set local maintenance_work_mem = '256MB'")
        own.run(_CELLS, names=NAMES)
        own.run(_POOL)
        own.run(f"create table {table} (like history including defaults)")
        for sql, (first, last), entities in zip(
            (_WHOLE, _PARTIAL), made, (WHOLE_ENTITIES, PARTIAL_ENTITIES), strict=True
        ):
            step = f"((timestamptz '{end}' - timestamptz '{start}') / {last - first + 1})"
            own.run(
                sql.format(
                    table=table, entities=entities, layout=layout, start=start, first=first, last=last, step=step
                )
            )
        own.run(f"alter table {table} add primary key (entity_id, event_time, ingested_at)")
        own.run(f"alter table {table} add check (event_time >= '{start}' and event_time < '{end}')")
        own.run(f"analyze {table}")
        own.run(f"alter table history attach partition {table} for values from ('{start}') to ('{end}')")
