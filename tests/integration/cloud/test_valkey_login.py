"""An encrypted Valkey with users: who may enter, and what a rotation of the password costs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from ebb.addresses import valkey_address
from ebb.cloud import Cloud
from ebb.connect import connect_fast
from ebb.errors import Unavailable
from ebb.metrics import Silent
from ebb.settings import Settings
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.refilled import ValkeyRefilled
from local.servers.valkey import Valkey
from tests.fakes.aws_door import Door
from tests.fakes.tls_door import certificate, tls_door
from tests.valkey_case import eventually, record, running

MAY = "~* +@read +@write +@scripting +@connection +info +wait +dbsize +time"
"""What the functions ask of Valkey, as the rules of a user."""


@dataclass
class Stage:
    """A Valkey behind TLS, a secret, and a function's environment for both."""

    valkey: Valkey
    admin: redis.Redis
    door: Door
    arn: str
    environment: dict[str, str]

    def rotate(self, password: str, *, told: bool = True) -> None:
        """Give the user another password, end its connections, and perhaps write the password into the secret."""
        self.admin.execute_command("ACL", "SETUSER", "ebb", "on", "resetpass", f">{password}", *MAY.split())
        self.admin.execute_command("CLIENT", "KILL", "USER", "ebb")
        if told:
            self.tell(password)

    def tell(self, password: str) -> None:
        text = json.dumps({"username": "ebb", "password": password})
        self.door.client("secretsmanager").put_secret_value(SecretId=self.arn, SecretString=text)

    def fast(self, **changes: str) -> ValkeyFeatures:
        settings = Settings.from_environment({**self.environment, **changes})
        made = connect_fast(settings, Silent(), Cloud(self.environment))
        made._asking._timeout = 5.0  # a busy machine must not look like a lost server
        return made


@pytest.fixture
def stage(tmp_path: Path, door: Door) -> Iterator[Stage]:
    made = certificate(tmp_path)
    arn = door.client("secretsmanager").create_secret(Name=f"ebb/{uuid4().hex}", SecretString="none")["ARN"]
    with (
        running(tmp_path / "valkey") as valkey,
        redis.Redis(port=valkey.port, password="admin", protocol=2) as admin,
        tls_door(valkey.port, *made) as port,
    ):
        with redis.Redis(port=valkey.port, protocol=2) as first:
            first.execute_command("ACL", "SETUSER", "default", "on", "resetpass", ">admin")
        environment = {
            **door.environment,
            "EBB_RELEASES": str(tmp_path),
            "EBB_VALKEY_HOST": "127.0.0.1",
            "EBB_VALKEY_PORT": str(port),
            "EBB_VALKEY_TLS": "true",
            "EBB_VALKEY_CA_FILE": str(made[0]),
            "EBB_VALKEY_SECRET": arn,
            "EBB_POSTGRES_HOST": "127.0.0.1",
            "EBB_POSTGRES_PORT": "1",
            "EBB_POSTGRES_USER": "u",
            "EBB_POSTGRES_PASSWORD": "p",
            "EBB_POSTGRES_DATABASE": "d",
        }
        stage = Stage(valkey, admin, door, arn, environment)
        stage.rotate("first")
        yield stage


def _answered(fast: ValkeyFeatures) -> bool:
    try:
        return fast.ask("x", "c").record is not None
    except Unavailable:
        return False


def test_a_user_of_few_rights_does_all_that_functions_do(stage: Stage) -> None:
    fast = stage.fast()
    fast.warm(5.0)
    fast.put({"x": record(1)})
    assert fast.ask("x", "c").record == record(1)
    assert fast.ask_many(["x", "y"], "c").records == [record(1), None]
    assert fast.held(["x"]) == {"x": record(1)}
    assert [each for ids in fast.scan() for each in ids] == ["x"]
    fast.announce_routing(3)
    assert fast.ask("x", "c").routing == 3
    assert fast.hot(5) == []
    assert fast.put_everywhere({"x": record(2)})
    refilled = ValkeyRefilled(
        valkey_address(Settings.from_environment(stage.environment), Cloud(stage.environment)), seconds=5.0
    )
    assert refilled.position() == ""
    refilled.keep(None)
    assert (refilled.position(), refilled.again(), refilled.has_room()) == (None, False, True)
    assert refilled.size() >= 2
    fast.close()
    refilled.close()


def test_a_rotation_needs_no_restart(stage: Stage) -> None:
    fast = stage.fast()
    fast.put({"x": record(1)})
    assert _answered(fast)
    stage.rotate("second")
    eventually(lambda: _answered(fast), 60)
    stage.rotate("third", told=False)
    assert not _answered(fast)
    stage.tell("third")
    eventually(lambda: _answered(fast), 60)

    def written() -> bool:
        try:
            fast.put({"x": record(5)})
        except Unavailable:
            return False
        return True

    eventually(written, 60)
    fast.close()


def test_a_secret_that_comes_late_is_found(stage: Stage) -> None:
    stage.door.faults.extend(["busy"] * 200)
    fast = stage.fast()
    stage.door.begin()
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        fast.ask("x", "c")
    eventually(lambda: _written(fast) and _answered(fast), 60)
    fast.close()


def _written(fast: ValkeyFeatures) -> bool:
    try:
        fast.put({"x": record(1)})
    except Unavailable:
        return False
    return True


def test_a_wrong_password_is_a_refusal_that_repeats_nothing(stage: Stage) -> None:
    fast = stage.fast(EBB_VALKEY_SECRET="", EBB_VALKEY_USERNAME="ebb", EBB_VALKEY_PASSWORD="canary")
    with pytest.raises(Unavailable, match=r"Valkey does not answer \(NOAUTH\)") as refused:
        fast.ask("x", "c")
    assert "canary" not in str(refused.value)
    fast.close()
    right = stage.fast(EBB_VALKEY_SECRET="", EBB_VALKEY_USERNAME="ebb", EBB_VALKEY_PASSWORD="first")
    right.put({"x": record(1)})
    assert _answered(right)
    right.close()


def test_a_certificate_that_nobody_vouches_for_ends_it(stage: Stage) -> None:
    fast = stage.fast(EBB_VALKEY_CA_FILE="")
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        fast.put({"x": record(1)})
    assert stage.admin.exists("f:x") == 0
    fast.close()


def test_a_certificate_of_another_name_ends_it(stage: Stage) -> None:
    fast = stage.fast(EBB_VALKEY_HOST="localhost")
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        fast.put({"x": record(1)})
    assert stage.admin.exists("f:x") == 0
    fast.close()
