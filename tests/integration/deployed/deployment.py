"""The stage dev, deployed on MiniStack: its API asked as callers ask it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

from ebb.cloud import Cloud
from ebb.places import parse_place
from ebb.routing.table import RoutingTable
from local.servers.ministack import REGION, MiniStack
from tests.integration.deployed.emulator import Emulator
from tests.integration.deployed.reduction import Reduced, Template, reduce
from tests.integration.deployed.servers import Servers, servers, stand_ins
from tests.integration.deployed.templates import CONTRACT, STAGE, Assembly, synthesize_here

REFUSED = {("AWS::CloudWatch::Alarm", "Metrics")}
"""What MiniStack refuses of types that it knows; test_ministack_listed.py asks it again each time."""
_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        body: JSON, read.
    """

    status: int
    body: Any


@dataclass(frozen=True)
class Deployment:
    """What is deployed.

    Attributes:
        emulator: where.
        servers: that its functions reach.
        whole: the templates as they were synthesized.
        reduced: as they were deployed.
        outputs: of each stack, by its short name.
    """

    emulator: Emulator
    servers: Servers
    whole: Mapping[str, Template]
    reduced: Reduced
    outputs: Mapping[str, Mapping[str, str]]

    def call(self, asked: str, body: Any = None, token: str = "") -> Answer:
        """Ask the deployed API; `asked` is method and path."""
        method, path = asked.split(" ")
        host = urlsplit(self.outputs["inference"]["Address"]).netloc
        headers = {"host": host, "content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return self._ask(method, path, json.dumps(body) if body is not None else None, headers)

    def token(self, client: str, *scopes: str) -> str:
        """Return a token of one of the stage's clients, as Cognito gives it for the client's own secret."""
        pool, identity = self.outputs["inference"]["UserPoolId"], self.outputs["inference"][f"Client{client}"]
        cognito = self.emulator.client("cognito-idp")
        told = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=identity)["UserPoolClient"]
        form = {
            "grant_type": "client_credentials",
            "client_id": identity,
            "client_secret": told["ClientSecret"],
            "scope": " ".join(f"ebb/{scope}" for scope in scopes),
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = self._ask("POST", "/oauth2/token", urlencode(form), headers)
        assert answer.status == 200, answer
        return str(answer.body["access_token"])

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke a deployed function by name, and return what it answered."""
        told = self.emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        answered = json.loads(told["Payload"].read())
        assert "FunctionError" not in told, answered
        return answered

    def publish(self, version: str, files: Mapping[str, bytes], table: RoutingTable) -> None:
        """Put a release into the stage's bucket, and a routing table under which it serves."""
        bucket = self.outputs["registry"]["BucketName"]
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        cloud = Cloud({"AWS_ENDPOINT_URL": self.emulator.url, "AWS_REGION": REGION, **keys})
        releases = cloud.releases(parse_place(f"s3://{bucket}/releases", ""))
        releases.write(CONTRACT, version, files)
        releases.set_champion(CONTRACT, version)
        cloud.routing(parse_place(f"s3://{bucket}/routing", ""), _SECONDS).append(CONTRACT, table)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = HTTPConnection(urlsplit(self.emulator.url).netloc, timeout=_SECONDS)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        finally:
            connection.close()


@contextmanager
def emulator(folder: Path, authority: Path | None = None) -> Iterator[Emulator]:
    """Start a MiniStack, and end it and all functions that it runs.

    Args:
        folder: of its files.
        authority: whom its functions trust besides nobody, as they trust Amazon's authorities on AWS.
    """
    with pytest.MonkeyPatch.context() as patch:
        if authority is not None:
            patch.setenv("SSL_CERT_FILE", str(authority))
        server = MiniStack.start(folder)
    process = psutil.Process(server.id.pid)
    try:
        yield Emulator(server.url)
    finally:
        functions = process.children(recursive=True)
        for function in functions:
            with suppress(psutil.NoSuchProcess):
                function.kill()
        server.stop()
        _, alive = psutil.wait_procs(functions, timeout=_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
        assert not alive, alive


@contextmanager
def deployment(root: Path, folder: Path) -> Iterator[Deployment]:
    """Synthesize, deploy and lend a stage.

    Args:
        root: a checkout in which everything is packed.
        folder: for everything else.
    """
    assembly = synthesize_here(folder / "cdk.out", root)
    with servers(folder) as running, emulator(folder / "ministack", running.authority) as somewhere:
        reduced = reduced_for(somewhere, assembly, running)
        outputs = deploy(somewhere, assembly, reduced)
        made = Deployment(somewhere, running, assembly.templates, reduced, outputs)
        running.add_users(assembly.templates["feature-store"], _login(made))
        yield made


def reduced_for(somewhere: Emulator, assembly: Assembly, running: Servers | None = None) -> Reduced:
    """Return the templates as this MiniStack can take them; without servers nobody listens where they point."""
    given = stand_ins(running.proxy, running.valkey_port) if running else stand_ins("127.0.0.1", 9)
    return reduce(assembly.templates, somewhere.unknown(assembly.templates.values()), REFUSED, given)


def deploy(somewhere: Emulator, assembly: Assembly, reduced: Reduced) -> dict[str, dict[str, str]]:
    """Upload what the templates name and deploy them in their order; return the stacks' outputs."""
    somewhere.upload(assembly.assets)
    return {stack: somewhere.deploy(f"ebb-{STAGE}-{stack}", template) for stack, template in reduced.templates.items()}


def functions_of(of: Deployment) -> dict[str, str]:
    """Return the deployed functions' names by their logical ids."""
    return {
        logical_id: name
        for stack in of.reduced.templates
        for logical_id, (kind, name, _) in of.emulator.deployed(f"ebb-{STAGE}-{stack}").items()
        if kind == "AWS::Lambda::Function"
    }


def _login(of: Deployment) -> str:
    """Return the functions' login at Valkey, from the secret of the deployed stack."""
    found = of.emulator.deployed(f"ebb-{STAGE}-feature-store")
    (secret,) = (name for logical_id, (_, name, _) in found.items() if logical_id.startswith("CacheLogin"))
    told = of.emulator.client("secretsmanager").get_secret_value(SecretId=secret)
    return str(told["SecretString"])
