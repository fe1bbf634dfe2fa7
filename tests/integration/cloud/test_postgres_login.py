"""An encrypted Postgres: whom it is, as whom it is entered, and what a rotation of the password costs.

The server of the wheel knows neither TLS nor IAM: a door of the tests ends the encryption, and the token is set as the
password of a user, which shows that it reaches the server whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from ebb.addresses import postgres_address
from ebb.cloud import Cloud
from ebb.errors import Unavailable
from ebb.login import Login
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.refusal import Refused
from ebb.settings import Settings
from ebb.tls import trusting
from lambdas.migrate.logic import migrate
from local.servers.postgres import Postgres
from tests.fakes.aws_door import Door
from tests.fakes.postgres_tls_door import postgres_tls_door
from tests.fakes.tls_door import certificate
from tests.integration.databases import Database
from tests.valkey_case import eventually


@dataclass
class Stage:
    """A database behind TLS, with a user of its own."""

    admin: PostgresConnection
    address: PostgresAddress
    ca_file: Path
    user: str

    def set_password(self, password: str) -> None:
        with self.admin.use() as connection:
            connection.run(f"alter role {self.user} password '{password}'")

    def environment(self, door: Door, **more: str) -> dict[str, str]:
        return {
            **door.environment,
            "EBB_RELEASES": "r",
            "EBB_VALKEY_HOST": "v",
            "EBB_VALKEY_PORT": "1",
            "EBB_POSTGRES_HOST": "127.0.0.1",
            "EBB_POSTGRES_PORT": str(self.address.port),
            "EBB_POSTGRES_USER": self.user,
            "EBB_POSTGRES_DATABASE": self.address.database,
            "EBB_POSTGRES_TLS": "true",
            "EBB_POSTGRES_CA_FILE": str(self.ca_file),
            **more,
        }


@pytest.fixture
def stage(postgres_server: Postgres, tmp_path: Path) -> Iterator[Stage]:
    made, database = certificate(tmp_path), Database.fresh(postgres_server, "base")
    admin, user = database.connect(), f"u_{uuid4().hex}"
    with admin.use() as connection:
        connection.run(f"create role {user} login password 'first'")
        connection.run(f"grant all on database {database.name} to {user}")
        connection.run(f"grant all on schema public to {user}")
    with postgres_tls_door(postgres_server.port, *made) as port:
        tls = trusting(str(made[0]))
        address = PostgresAddress("127.0.0.1", port, user, "first", database.name, tls)
        yield Stage(admin, address, made[0], user)
    admin.close()


def connect(address: PostgresAddress) -> PostgresConnection:
    return PostgresConnection(address, timeout=30.0, connect_timeout=30.0)


def works(connection: PostgresConnection) -> bool:
    try:
        return bool(connection.query("select 1") == [[1]])
    except Unavailable:
        return False


def test_statements_small_and_large_are_encrypted(stage: Stage) -> None:
    connection = connect(stage.address)
    for size in (1, 70_000, 3_000_000):
        assert connection.query("select repeat('x', cast(:n as integer))", n=size) == [["x" * size]]
    with connection.transaction() as lent:
        assert lent.run("select current_user") == [[stage.user]]
    connection.close()


def test_a_connection_is_used_again_and_its_end_is_seen(stage: Stage) -> None:
    connection = connect(stage.address)
    asked = "select pg_backend_pid()"
    pids = {connection.query(asked)[0][0] for _ in range(5)}
    assert len(pids) == 1, "what TLS says besides is no end"
    with stage.admin.use() as admin:
        admin.run("select pg_terminate_backend(:pid)", pid=pids.pop())
    eventually(lambda: connection._wire is None or connection._wire.stirs(), 60)
    assert works(connection)
    connection.close()


def test_a_certificate_that_nobody_vouches_for_ends_it(stage: Stage) -> None:
    with pytest.raises(Unavailable, match=r"Postgres does not answer \(SSLCertVerificationError\)"):
        connect(replace(stage.address, tls=trusting())).query("select 1")


def test_a_certificate_of_another_name_ends_it(stage: Stage) -> None:
    with pytest.raises(Unavailable, match=r"\(SSLCertVerificationError\)"):
        connect(replace(stage.address, host="localhost")).query("select 1")


def test_a_server_without_tls_hears_no_password(stage: Stage, postgres_server: Postgres) -> None:
    with pytest.raises(Unavailable, match=r"Postgres does not answer \(InterfaceError\)"):
        connect(replace(stage.address, port=postgres_server.port)).query("select 1")


def test_a_wrong_password_is_a_refusal(stage: Stage) -> None:
    with pytest.raises(Refused, match="password authentication failed") as refused:
        connect(replace(stage.address, password="canary")).query("select 1")
    assert "canary" not in str(refused.value)


def test_the_schema_is_migrated_over_tls(stage: Stage) -> None:
    assert migrate(stage.address).after == migrate(stage.address).before
    with pytest.raises(Unavailable):
        migrate(replace(stage.address, tls=trusting()))


def test_a_rotation_needs_no_restart(stage: Stage, door: Door) -> None:
    secrets = door.client("secretsmanager")
    text = f'{{"username": "{stage.user}", "password": "%s"}}'
    arn = secrets.create_secret(Name=f"ebb/{uuid4().hex}", SecretString=text % "first")["ARN"]
    environment = stage.environment(door, EBB_POSTGRES_SECRET=arn)
    connection = connect(postgres_address(Settings.from_environment(environment), Cloud(environment)))
    assert works(connection)
    stage.set_password("second")
    assert works(connection), "what is open stays open"
    connection.close()
    assert not works(connection)
    secrets.put_secret_value(SecretId=arn, SecretString=text % "second")
    eventually(lambda: works(connection), 60)
    connection.close()


class Noted:
    """Logins that a test looks into."""

    def __init__(self, login: Login) -> None:
        self.given, self.told = login, list[Login]()

    def login(self) -> Login:
        return self.given

    def refused(self, login: Login) -> None:
        self.told.append(login)


def test_a_token_of_iam_reaches_the_server_whole(stage: Stage, door: Door) -> None:
    environment = stage.environment(door, EBB_POSTGRES_AUTH="iam")
    address = postgres_address(Settings.from_environment(environment), Cloud(environment))
    token = address.login().password
    assert len(token) > 300
    assert address.login().username == stage.user
    stage.set_password(token)
    noted = Noted(Login(stage.user, token))
    connection = connect(replace(address, logins=noted))
    assert works(connection)
    connection.close()
    stage.set_password("other")
    assert not works(connection)
    assert noted.told == [noted.given]
