"""The users of a database on AWS: their administrator makes them, one migrates and writes, the other only reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.ports import FeatureUpdate
from ebb.postgres.address import PostgresAddress
from ebb.postgres.changes import PostgresChanges
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.feed import PostgresFeed
from ebb.postgres.refusal import Refused
from lambdas.migrate import logic
from lambdas.migrate.logic import migrate
from stacks.constructs.database import ADMINISTRATOR, OWNER, READER
from tests.integration.rds_case import PASSWORD, as_user, run, weak_administrator

USERS = (Path(logic.__file__).parent / "users.sql").read_text()
DATABASE = "scores"
DENIED = "42501"


@pytest.fixture(scope="module")
def administrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresAddress]:
    with weak_administrator(tmp_path_factory.mktemp("postgres"), DATABASE) as address:
        yield address


@pytest.fixture(scope="module")
def made(administrator: PostgresAddress) -> PostgresAddress:
    """The database with its users, made twice, and with the schema of its owner."""
    run(administrator, USERS)
    run(administrator, USERS)
    run(administrator, *(f"alter role {user} password '{PASSWORD}'" for user in (OWNER, READER)))
    migrate(as_user(administrator, OWNER))
    return administrator


def test_the_owner_migrates_forward_and_back(made: PostgresAddress) -> None:
    owner = as_user(made, OWNER)
    newest = migrate(owner).after
    assert migrate(owner, to="base").after == "base"
    assert migrate(owner).after == newest


def test_the_reader_reads_what_the_owner_made_and_changes_nothing(made: PostgresAddress) -> None:
    reader = as_user(made, READER)
    run(reader, "select count(*) from features", "select count(*) from history")
    for statement in (
        "delete from features",
        "insert into repairs default values",
        "create table mine (a int)",
        "drop table features",
    ):
        with pytest.raises(Refused) as refused:
            run(reader, statement)
        assert refused.value.code == DENIED


def test_the_owner_records_changes_and_the_reader_follows_them(made: PostgresAddress) -> None:
    owner, reader = (PostgresConnection(as_user(made, user)) for user in (OWNER, READER))
    try:
        changes, feed = PostgresChanges(owner), PostgresFeed(reader)
        assert changes.record(followed=True)
        PostgresFeatures(owner).merge([FeatureUpdate("a", {"x": 1.0}, 1e9)])
        changes.beat()
        page = feed.look((feed.since(60.0), 0))
        assert set(page.records) == {"a"}
        assert changes.prune(-1.0) == 2
        assert changes.record(followed=False)
    finally:
        owner.close()
        reader.close()


def test_nobody_may_make_roles_but_the_administrator(made: PostgresAddress) -> None:
    for user in (OWNER, READER):
        with pytest.raises(Refused) as refused:
            run(as_user(made, user), "create role more login")
        assert refused.value.code == DENIED


def test_users_enter_by_iam(made: PostgresAddress) -> None:
    connection = PostgresConnection(made)
    try:
        rows = connection.query(
            "select m.rolname from pg_auth_members a join pg_roles g on g.oid = a.roleid "
            "join pg_roles m on m.oid = a.member where g.rolname = 'rds_iam' order by 1"
        )
    finally:
        connection.close()
    assert [row[0] for row in rows] == sorted([OWNER, READER, ADMINISTRATOR])
