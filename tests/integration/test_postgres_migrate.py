"""The schema goes forward and back on a real Postgres, one migration at a time, and keeps what it holds."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import Misuse, Unavailable
from ebb.ports import Access, FeatureUpdate
from ebb.postgres.address import PostgresAddress
from ebb.postgres.changes import PostgresChanges
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.refusal import Refused
from ebb.postgres.subjects import PostgresSubjects
from lambdas.migrate.logic import HERE, Migrated, migrate
from local.servers.postgres import Postgres
from tests.home import ROOT
from tests.integration.databases import Database

# As it was before there were migrations, word for word.
OLD_SCHEMA = """
create table if not exists features (
    entity_id  text primary key,
    version    bigint not null,
    event_time double precision not null,
    times      jsonb not null default '{}',
    "values"   jsonb not null,
    written_at timestamptz not null default now()
);
"""
OLD_ROW = """insert into features (entity_id, version, event_time, times, "values")
values ('old', 7, 1500000000.25, '{"b": 1500000001}', '{"a": 1.5, "b": "x"}')"""


@pytest.fixture
def empty(postgres_server: Postgres) -> Database:
    return Database.fresh(postgres_server, "base")


@pytest.fixture
def connection(empty: Database) -> Iterator[PostgresConnection]:
    made = empty.connect()
    yield made
    made.close()


def _tables(connection: PostgresConnection) -> set[str]:
    rows = connection.query("select relname from pg_class where relkind in ('r', 'p') and relnamespace = 2200")
    return {row[0] for row in rows}


def test_forward_back_and_forward_keeps_the_current_values(empty: Database, connection: PostgresConnection) -> None:
    assert empty.migrate() == Migrated("base", "0004")
    features = PostgresFeatures(connection)
    features.merge([FeatureUpdate("a", {"x": 1}, time.time())])
    before = features.read("a")
    assert before is not None
    PostgresSubjects(connection).erase("gone", Access(1.0, "c", "erase", "i"))
    connection.close()

    assert empty.migrate("0001") == Migrated("0004", "0001")
    assert _tables(connection) == {"alembic_version", "features"}
    held = connection.query('select entity_id, "values"::text from features order by 1')
    assert held == [["a", '{"x": 1}'], ["gone", "{}"]]

    assert empty.migrate() == Migrated("0001", "0004")
    after = features.read("a")
    assert after is not None
    assert (after.values, after.event_times) == (before.values, before.event_times)
    assert after.version > before.version
    assert len(after.salt) == 32
    assert [set(note.entity_ids) for note in features.unsettled(0, 9)] == [{"a", "gone"}]

    assert empty.migrate("base") == Migrated("0004", "base")
    assert _tables(connection) == {"alembic_version"}
    assert empty.migrate("base") == Migrated("base", "base")


def test_the_feed_goes_back_alone(empty: Database, connection: PostgresConnection) -> None:
    empty.migrate()
    PostgresChanges(connection).record(followed=True)
    PostgresFeatures(connection).merge([FeatureUpdate("a", {"x": 1}, time.time())])
    assert connection.query("select count(*) from changes") == [[1]]
    connection.close()
    assert empty.migrate("0003") == Migrated("0004", "0003")
    assert not {"changes", "change_feed"} & _tables(connection)
    PostgresFeatures(connection).merge([FeatureUpdate("a", {"x": 2}, time.time())])
    connection.close()
    assert empty.migrate() == Migrated("0003", "0004")
    assert connection.query("select count(*), (select generation from change_feed) from changes") == [[0, None]]


def test_months_that_were_on_their_way_out_go_back_too(empty: Database, connection: PostgresConnection) -> None:
    empty.migrate()
    PostgresFeatures(connection).merge([FeatureUpdate("a", {"x": 1}, time.time())])
    month = next(name for name in _tables(connection) if name.startswith("history_"))
    connection.query(f"alter table history detach partition {month}")
    empty.migrate("0001")
    assert _tables(connection) == {"alembic_version", "features"}


def test_a_database_from_before_there_were_migrations(empty: Database, connection: PostgresConnection) -> None:
    connection.query(OLD_SCHEMA)
    connection.query(OLD_ROW)
    assert empty.migrate() == Migrated("base", "0004")
    record = PostgresFeatures(connection).read("old")
    assert record is not None
    assert record.values == {"a": 1.5, "b": "x"}
    assert record.event_times == {"a": 1500000000.25, "b": 1500000001}
    assert (record.version, len(record.salt), record.erased_at) == (8, 32, None)


def test_every_subject_gets_a_salt_of_its_own(empty: Database, connection: PostgresConnection) -> None:
    connection.query(OLD_SCHEMA)
    connection.query(
        'insert into features (entity_id, version, event_time, "values")'
        " select n::text, 1, 0, '{}' from generate_series(1, 2500) as n"
    )
    empty.migrate()
    assert connection.query("select count(distinct salt) from features") == [[2500]]
    notes = PostgresFeatures(connection).unsettled(0, 9)
    assert [len(note.entity_ids) for note in notes] == [1000, 1000, 500]


def test_two_at_once_both_succeed(empty: Database) -> None:
    with ThreadPoolExecutor(3) as road:
        done = list(road.map(lambda _: empty.migrate(), range(3)))
    assert {each.after for each in done} == {"0004"}
    assert sorted(each.before for each in done) == ["0004", "0004", "base"]  # what stood when its turn came


def test_a_failing_step_leaves_the_version_before(
    empty: Database, connection: PostgresConnection, tmp_path: Path
) -> None:
    shutil.copytree(HERE / "versions", tmp_path / "versions", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "versions/v0005_broken.py").write_text(
        "from alembic import op\nrevision = '0005'\ndown_revision = '0004'\n"
        "def upgrade() -> None:\n    op.execute('create table half (a int)')\n    op.execute('select nothing')\n"
    )
    with pytest.raises(Unavailable, match='migration to 0005 failed: column "nothing" does not exist'):
        migrate(empty.address, steps=tmp_path)
    assert connection.query("select version_num from alembic_version") == [["0004"]]
    assert "half" not in _tables(connection)
    assert empty.migrate() == Migrated("0004", "0004")


def test_what_is_no_version_or_a_newer_one_is_told(empty: Database, connection: PostgresConnection) -> None:
    with pytest.raises(Misuse, match=r"no schema version '7': say head, or one of base, 0001, 0002"):
        empty.migrate("7")
    empty.migrate("0001")
    connection.query("update alembic_version set version_num = '9999'")
    with pytest.raises(Misuse, match="schema version 9999, which this Ebb does not know"):
        empty.migrate()


def test_a_server_that_is_gone_or_refuses_is_told(empty: Database) -> None:
    with pytest.raises(Unavailable, match="Postgres does not answer"):
        migrate(PostgresAddress("127.0.0.1", 1, "u", "p", "d"))
    with pytest.raises(Refused, match='database "absent" does not exist'):
        migrate(replace(empty.address, database="absent"))


def test_what_only_a_walk_needs_is_imported_for_a_walk(empty: Database) -> None:
    """A start that finds the schema done pays nothing for Alembic."""
    empty.migrate()
    script = (
        "import sys; from lambdas.migrate.logic import migrate, preload\n"
        "from ebb.postgres.address import PostgresAddress\n"
        f"migrate(PostgresAddress(*{tuple(vars(empty.address).values())!r}))\n"
        "assert 'alembic' not in sys.modules and 'sqlalchemy' not in sys.modules\n"
        "preload()\nassert 'alembic' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_function_answers_the_versions(empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from importlib import import_module, reload  # noqa: PLC0415

    environment: dict[str, Any] = {
        "EBB_RELEASES": tmp_path,
        "EBB_VALKEY_HOST": "127.0.0.1",
        "EBB_VALKEY_PORT": 1,
        "EBB_POSTGRES_HOST": empty.server.host,
        "EBB_POSTGRES_PORT": empty.server.port,
        "EBB_POSTGRES_USER": empty.server.user,
        "EBB_POSTGRES_PASSWORD": empty.server.password,
        "EBB_POSTGRES_DATABASE": empty.name,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    handler = reload(import_module("lambdas.migrate.handler"))
    assert handler.handle({"to": "0001"}, None) == {"from": "base", "to": "0001"}
    assert handler.handle({}, None) == {"from": "0001", "to": "0004"}
