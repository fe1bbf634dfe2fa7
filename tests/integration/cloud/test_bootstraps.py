"""The functions as a stage wires them: releases and tables in S3, secrets in Secrets Manager, servers behind TLS."""

import json
import os
import secrets as random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from ebb.cloud import Cloud
from ebb.errors import Misuse, Unavailable
from ebb.event_log.reading import RecordedLine, read_lines
from ebb.event_log.sealing import secret_name
from ebb.places import parse_place
from ebb.postgres.address import PostgresAddress
from ebb.settings import Settings
from lambdas.predict.bootstrap import _stage_secret
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.fakes.aws_door import KEYS, Door
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.postgres_tls_door import postgres_tls_door
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.tls_door import certificate, tls_door
from tests.home import ROOT
from tests.integration.databases import Database

SECRET = random.token_urlsafe(48)
FUNCTIONS = """
import importlib, json, sys
for line in sys.stdin:
    name, asked = json.loads(line)
    print("ANSWER", json.dumps(importlib.import_module(f"lambdas.{name}.handler").handle(asked, None)), flush=True)
"""


class Functions:
    """All functions in a process of their own, as nothing else of theirs is to outlive a test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self.printed = process, list[str]()

    def handle(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([name, asked]), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                answered: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
                return answered
            self.printed.append(line)
        raise AssertionError("".join(self.printed))


@pytest.fixture
def environment(
    door: Door, postgres_server: Postgres, valkey_server: Valkey, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The environment of a stage's functions; the database has no schema yet."""
    made, secrets = certificate(tmp_path), door.client("secretsmanager")
    database = Database.fresh(postgres_server, "base")

    def arn(text: str) -> str:
        return str(secrets.create_secret(Name=f"ebb/{uuid4().hex}", SecretString=text)["ARN"])

    bucket = door.bucket()
    login = json.dumps({"username": postgres_server.user, "password": postgres_server.password})
    with (
        tls_door(valkey_server.port, *made) as valkey,
        postgres_tls_door(postgres_server.port, *made) as postgres,
    ):
        yield {
            **door.environment,
            "EBB_CONTRACT": "tiny",
            "EBB_RELEASES": f"s3://{bucket}/releases",
            "EBB_ROUTING": f"s3://{bucket}/routing",
            "EBB_VALKEY_HOST": "127.0.0.1",
            "EBB_VALKEY_PORT": str(valkey),
            "EBB_VALKEY_TLS": "true",
            "EBB_VALKEY_CA_FILE": str(made[0]),
            "EBB_POSTGRES_HOST": "127.0.0.1",
            "EBB_POSTGRES_PORT": str(postgres),
            "EBB_POSTGRES_DATABASE": database.name,
            "EBB_POSTGRES_TLS": "true",
            "EBB_POSTGRES_CA_FILE": str(made[0]),
            "EBB_POSTGRES_SECRET": arn(login),
            "EBB_STAGE_SECRET": arn(SECRET),
        }


@pytest.fixture
def functions(environment: dict[str, str]) -> Iterator[Functions]:
    command = [sys.executable, "-c", FUNCTIONS]
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield Functions(process)
        finally:
            process.kill()


def test_a_stage_is_migrated_answers_503_and_then_serves(environment: dict[str, str], functions: Functions) -> None:
    handle, cloud = functions.handle, Cloud(environment)
    assert handle("migrate", {"to": "head"})["from"] == "base"
    whole = event("POST /v1/predictions", orjson.dumps({"entity_id": "new", "features": ROW}))
    assert handle("predict", whole)["statusCode"] == 503, "there is no release yet"

    files = tiny_release()
    store = cloud.releases(parse_place(environment["EBB_RELEASES"], ""))
    store.write("tiny", version_in(files), files)
    assert handle("predict", whole)["statusCode"] == 503, "there is no routing table yet"
    listed = orjson.loads(handle("records", event("GET /v1/registry", scope="admin"))["body"])
    assert [(each["version"], each["verified"], each["roles"]) for each in listed["releases"]] == [
        (version_in(files), True, [])
    ]
    first = event(
        "POST /v1/routing/promote", orjson.dumps({"release": version_in(files), "based_on": 0}), scope="admin"
    )
    begun = orjson.loads(handle("records", first)["body"])
    assert (begun["version"], begun["notes"]) == (1, [])
    assert handle("records", first)["statusCode"] == 409, "somebody else was first"
    assert store.champion("tiny") is None, "the store is its publisher's"
    answered = orjson.loads(handle("predict", whole)["body"])
    assert (answered["degraded"], answered["release"]) == (False, f"tiny/{version_in(files)}")

    who = f"e-{uuid4().hex}"
    put = event(
        "PUT /v1/features/{entity_id}", orjson.dumps({"features": ROW}), scope="features:write", path={"entity_id": who}
    )
    assert handle("records", put)["statusCode"] == 200
    known = event("POST /v1/predictions", orjson.dumps({"entity_id": who}))
    assert orjson.loads(handle("predict", known)["body"])["degraded"] is False
    assert handle("records", event("GET /v1/routing", scope="admin"))["statusCode"] == 200
    maintained = handle("maintain", {"task": "all"})
    assert maintained["failed"] == {}

    printed = "".join(functions.printed)
    found = [each for each in read_lines(printed.encode()) if isinstance(each, RecordedLine)]
    assert [event.secret for each in found for event in each.events] == [secret_name(SECRET.encode())] * 2
    assert not any(canary in printed for canary in (*KEYS.values(), SECRET))


def test_a_stage_secret_that_is_short_or_not_there_starts_no_function(door: Door) -> None:
    client = door.client("secretsmanager")
    arn = client.create_secret(Name=f"ebb/{uuid4().hex}", SecretString="canary")["ARN"]
    settings = Settings(Path("r"), "", "v", 1, PostgresAddress("p", 1, "u", "p", "d"), stage_secret=arn)
    with pytest.raises(Misuse, match=r"of EBB_STAGE_SECRET has 6 bytes, and must have 32") as refused:
        _stage_secret(settings, Cloud(door.environment))
    assert "canary" not in str(refused.value)
    away = Cloud({**door.environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:1"})
    away._secrets._seconds = 0.2
    with pytest.raises(Unavailable, match="Secrets Manager does not answer"):
        _stage_secret(settings, away)
    client.put_secret_value(SecretId=arn, SecretString=SECRET)
    assert _stage_secret(settings, Cloud(door.environment)) == SECRET.encode()
