"""The users of a database on AWS: their administrator makes them, one migrates and writes, the other only reads."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.refusal import Refused
from lambdas.migrate import logic
from lambdas.migrate.logic import migrate
from local.servers.postgres import Postgres
from stacks.constructs.database import ADMINISTRATOR, OWNER, READER

USERS = (Path(logic.__file__).parent / "users.sql").read_text()
PASSWORD = "only-of-this-test"
"""On AWS a token stands in its place."""
DATABASE = "scores"
DENIED = "42501"


@pytest.fixture(scope="module")
def administrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresAddress]:
    """A database of a server whose administrator is as weak as that of RDS: no superuser, but may make roles."""
    server = Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        run(server.address, f"create role chief superuser login password '{PASSWORD}'")
        chief = replace(server.address, user="chief", password=PASSWORD)
        run(
            chief,
            f"alter role {server.address.user} rename to another",  # a name that is needed here
            f"create role {ADMINISTRATOR} login createrole createdb password '{PASSWORD}'",
            "create role rds_iam",
            f"grant rds_iam to {ADMINISTRATOR} with admin option",
            f"create database {DATABASE} owner {ADMINISTRATOR}",
        )
        yield replace(server.address, user=ADMINISTRATOR, password=PASSWORD, database=DATABASE)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def made(administrator: PostgresAddress) -> PostgresAddress:
    """The database with its users, made twice, and with the schema of its owner."""
    run(administrator, USERS)
    run(administrator, USERS)
    run(administrator, *(f"alter role {user} password '{PASSWORD}'" for user in (OWNER, READER)))
    migrate(as_user(administrator, OWNER))
    return administrator


def as_user(address: PostgresAddress, user: str) -> PostgresAddress:
    """Return the same database, entered as somebody else."""
    return replace(address, user=user)


def run(address: PostgresAddress, *statements: str) -> None:
    """Run statements, each by itself."""
    connection = PostgresConnection(address)
    try:
        for statement in statements:
            connection.query(statement)
    finally:
        connection.close()


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
