"""The hooks of a shift as functions of the local cloud, before a real prediction function, Valkey and Postgres.

What stands in for AWS: Lambda's aliases and capacities and CodeDeploy (`tests.fakes.shifted`), and the executor, which
runs one version of a function: whatever version or alias is asked for, its newest code answers.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvloop
from botocore.config import Config

from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.routing.table import Challenger, RoutingTable
from local.executor.executor import Executor
from local.executor.function import Function
from local.executor.invoke_api import InvokeApi
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.fakes.aws_door import KEYS, REGION
from tests.fakes.releases import tiny_release
from tests.fakes.shifted import FakeFunction, Shifting, shifting
from tests.home import ROOT
from tests.integration.databases import Database
from tests.integration.swapping import broken_release, write_releases

SALT = "0" * 32
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}
SECONDS = {"preflight": 276.0, "postflight": 120.0}


@dataclass
class Local:
    """Functions that run here.

    Attributes:
        home: of releases and routing tables.
        fake: aliases and capacities of the prediction function.
        door: the AWS that the hooks see.
        port: of the Invoke API.
    """

    home: Path
    fake: FakeFunction
    door: Shifting
    port: int

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its answer."""
        session = boto3.Session("testing", "testing", region_name=REGION)
        patient = Config(retries={"max_attempts": 0}, read_timeout=170)
        client = session.client("lambda", endpoint_url=f"http://127.0.0.1:{self.port}", config=patient)
        try:
            answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            document = json.loads(answer["Payload"].read())
            assert "FunctionError" not in answer, document
            return document
        finally:
            client.close()

    def route(self, *releases: Mapping[str, bytes]) -> list[str]:
        """Write releases and a table: the first is the champion, the others are tried on some."""
        versions = write_releases(self.home, releases)
        others = versions[1:]
        slots = {version: ((at * 1_000, (at + 1) * 1_000),) for at, version in enumerate(others)}
        challengers = tuple(Challenger(version, 0.1) for version in others)
        routing = FolderRouting(self.home / "routing")
        before = routing.latest("tiny")
        number = before.version + 1 if before else 1
        routing.append("tiny", RoutingTable(number, SALT, versions[0], challengers=challengers, slots=slots))
        return versions


def functions(home: Path, door: str, valkey: Valkey, database: Database) -> list[Function]:
    """Return the prediction function and the hooks, told what the stacks tell them."""
    secret = home / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    at = database.server
    told = {
        "EBB_RELEASES": str(home / "releases"),
        "EBB_ROUTING": str(home / "routing"),
        "EBB_STAGE_SECRET_FILE": str(secret),
        "EBB_CONTRACT": "tiny",
        "EBB_VALKEY_HOST": "127.0.0.1",
        "EBB_VALKEY_PORT": str(valkey.port),
        "EBB_POSTGRES_HOST": at.host,
        "EBB_POSTGRES_PORT": str(at.port),
        "EBB_POSTGRES_USER": at.user,
        "EBB_POSTGRES_PASSWORD": at.password,
        "EBB_POSTGRES_DATABASE": database.name,
    }
    shifted = {"EBB_SHIFT_FUNCTION": "predict", "EBB_SHIFT_ALIAS": "live", "EBB_SHIFT_TARGET": "2"}
    hooked = {**shifted, **KEYS, "AWS_ENDPOINT_URL": door}
    root = ROOT
    made = [Function("predict", "lambdas.predict.handler.handle", told, root, 60.0, environments=1)]
    for name, seconds in SECONDS.items():
        made.append(Function(name, f"lambdas.{name}.handler.handle", hooked, root, seconds, environments=1))
    return made


@pytest.fixture
def local(tmp_path: Path, valkey_server: Valkey, postgres_server: Postgres) -> Iterator[Local]:
    """Run the three functions on a thread's own loop; everything is down again at the end."""
    home = tmp_path / "home"
    home.mkdir()
    fake = FakeFunction()
    fake.keep("1", 3)
    fake.keep("2", 1)
    database = Database.fresh(postgres_server)
    with shifting(fake) as door:
        made = functions(home, door.url, valkey_server, database)
        with running(made, tmp_path / "logs") as port:
            told = Local(home, fake, door, port)
            fake.answer = lambda _qualifier, event: told.invoke("predict", event)
            yield told


class running:  # noqa: N801 - reads like the function that it stands for
    """An executor and its Invoke API on a thread that lives as long as they do."""

    def __init__(self, made: list[Function], logs: Path) -> None:
        self._made, self._logs = made, logs
        self._up, self._over = threading.Event(), asyncio.Event()
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> int:
        self._thread.start()
        assert self._up.wait(60)
        return self._port

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        executor = Executor(self._made, log_dir=self._logs)
        await executor.start()
        api = InvokeApi(executor, {})
        try:
            self._port = await api.start()
            self._up.set()
            await self._over.wait()
        finally:
            await api.stop()
            await executor.stop()


def test_from_no_release_to_a_shift_that_is_refused(local: Local) -> None:
    told = local.invoke("preflight", EVENT)
    assert told["passed"], told
    assert "3 warm environments" in told["because"]
    assert "there is no release yet" in told["because"]
    assert local.fake.asked == [("2", 3)]

    champion, challenger = local.route(tiny_release(0.0), tiny_release(1.0))
    told = local.invoke("preflight", EVENT)
    assert told["passed"], told
    assert f"loads all 2 releases of routing table 1 ({champion}, {challenger})" in told["because"]

    local.fake.aliases["live"] = "2"
    told = local.invoke("postflight", EVENT)
    assert told["passed"], told
    assert "live loads all 2 releases" in told["because"]

    _, broken = local.route(tiny_release(0.0), broken_release(3.0))
    for hook in SECONDS:
        told = local.invoke(hook, EVENT)
        assert not told["passed"], told
        assert f"refuses release {broken}: " in told["because"]
        assert "golden examples of this release are answered differently here" in told["because"]
    outcomes = [status for _, _, status in local.door.told]
    assert outcomes == ["Succeeded", "Succeeded", "Succeeded", "Failed", "Failed"]


def test_a_capacity_that_never_comes_fails_within_the_hook_s_time(local: Local) -> None:
    local.fake.pace = 0
    told = local.invoke("preflight", EVENT)
    assert not told["passed"], told
    assert "version 2 has 1 of 3 warm environments after 6 s" in told["because"]
    assert local.door.told == [("d-1", "h-1", "Failed")]


def test_a_release_that_is_altered_where_it_lies_fails(local: Local) -> None:
    (champion,) = local.route(tiny_release(0.0))
    (contract,) = (local.home / "releases").rglob("contract.toml")
    contract.chmod(0o644)
    contract.write_bytes(contract.read_bytes() + b"\n")
    told = local.invoke("preflight", EVENT)
    assert not told["passed"], told
    assert f"2 refuses release {champion}" in told["because"]
    assert FolderReleases(local.home / "releases").champion("tiny") == champion


def test_a_new_version_that_cannot_start_fails(local: Local) -> None:
    def crash(_qualifier: str, _event: Mapping[str, Any]) -> None:
        raise ImportError

    local.fake.answer = crash
    told = local.invoke("preflight", EVENT)
    assert not told["passed"], told
    assert "predict:2 failed (ImportError)" in told["because"]
    assert local.door.told == [("d-1", "h-1", "Failed")]
