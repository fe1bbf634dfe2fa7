"""The servers that the deployed functions reach, and what stands in for the parts of AWS in front of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import redis

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from lambdas.migrate import logic
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from stacks.constructs.database import OWNER, READER
from tests.fakes.rds_proxy import free_address, rds_proxy
from tests.fakes.tls_door import certificate, tls_door
from tests.integration.deployed.emulator import ACCOUNT
from tests.integration.deployed.reduction import StandIns, Template

DATABASE = "ebb"
_USERS = Path(logic.__file__).with_name("users.sql")
_REGION = f"us-east-1:{ACCOUNT}"
_TRUSTED = "".join(f"host {DATABASE} {user} 127.0.0.1/32 trust\n" for user in (OWNER, READER))


@dataclass(frozen=True)
class Servers:
    """Real servers, encrypted by stand-ins.

    Attributes:
        valkey: the fast tier; its users are made once the stage's login is known.
        valkey_port: where it speaks TLS.
        proxy: the loopback address of what stands in for RDS Proxy.
        entered: the users that it let in, one for each connection.
        authority: the file of the certificate that signs for all of them.
    """

    valkey: Valkey
    valkey_port: int
    proxy: str
    entered: list[str]
    authority: Path

    def add_users(self, template: Template, login: str) -> None:
        """Make Valkey's users: with the rights that the template gives them, and the stage's own login.

        Args:
            template: of the stack feature_store.
            login: the secret, as JSON.
        """
        password = json.loads(login)["password"]
        users = [one for one in template["Resources"].values() if one["Type"] == "AWS::ElastiCache::User"]
        users.sort(key=lambda user: str(user["Properties"]["UserName"]), reverse=True)
        with redis.Redis(port=self.valkey.port, protocol=2) as admin:
            for user in users:
                name, rights = user["Properties"]["UserName"], user["Properties"]["AccessString"].split()
                admin.execute_command("ACL", "SETUSER", name, "reset", f">{password}", *rights)


def stand_ins(proxy: str, valkey_port: int | str) -> StandIns:
    """Return what is told in place of resources that MiniStack lacks, or runs in Docker only.

    Args:
        proxy: address of what stands in for RDS Proxy.
        valkey_port: loopback port of Valkey's TLS.
    """
    return {
        ("AWS::RDS::DBProxy", "Endpoint"): proxy,
        ("AWS::RDS::DBProxy", "DBProxyArn"): f"arn:aws:rds:{_REGION}:db-proxy:prx-0123456789abcdef0",
        ("AWS::ElastiCache::ReplicationGroup", "PrimaryEndPoint.Address"): "127.0.0.1",
        ("AWS::ElastiCache::ReplicationGroup", "PrimaryEndPoint.Port"): str(valkey_port),
        ("AWS::RDS::DBCluster", "MasterUserSecret.SecretArn"): f"arn:aws:secretsmanager:{_REGION}:secret:rds!cluster",
    }


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start both, with their stand-ins, and end them."""
    postgres = Postgres.start(folder / "postgres", durable=False)
    try:
        _prepare(postgres)
        valkey = Valkey.start(folder / "valkey", memory_mib=64)
        try:
            address = free_address()
            made = certificate(folder, address)
            with (
                tls_door(valkey.port, *made) as port,
                rds_proxy(address, postgres.port, *made) as entered,
            ):
                yield Servers(valkey, port, address, entered, made[0])
        finally:
            valkey.stop()
    finally:
        postgres.stop()


def _prepare(postgres: Postgres) -> None:
    """Make the stage's database and its users, as its administrator does; they enter through the proxy alone."""
    chief = _chief(postgres)
    _run(chief, f"create database {DATABASE}", "create role rds_iam")
    _run(replace(chief, database=DATABASE), _USERS.read_text())
    (file,) = _run(chief, "show hba_file")[0]
    Path(file).write_text(_TRUSTED + Path(file).read_text())
    _run(chief, "select pg_reload_conf()")


def _chief(postgres: Postgres) -> PostgresAddress:
    """Return the address of a superuser whose name is none that a stage has."""
    _run(postgres.address, f"create role chief superuser login password '{postgres.password}'")
    chief = replace(postgres.address, user="chief")
    _run(chief, f"alter role {postgres.user} rename to another")
    return chief


def _run(address: PostgresAddress, *statements: str) -> Any:
    connection = PostgresConnection(address, timeout=60.0, connect_timeout=60.0)
    try:
        with connection.use() as lent:
            return [lent.run(statement) for statement in statements][-1]
    finally:
        connection.close()
