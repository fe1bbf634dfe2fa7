"""The stage dev on this machine, all of it but the stacks: what `ebb deploy` then finds is real where it can be.

Real: the functions of the checkout before Valkey and Postgres, the gateway with tokens, the schema and its users.
Emulated: S3 and STS by moto, CloudFormation and Cognito by MiniStack, the RDS Data API by `tests.fakes.data_api`,
Cognito's token endpoint by `tests.integration.stage_case`. CDK's command line is a stand-in
(`tests.fakes.cdk_command`), and the templates are small: their outputs are those of the real ones.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cdk.stages import CLIENTS
from ebb.contract import parse_contract
from ebb.folder import FolderReleases
from ebb.postgres.address import PostgresAddress
from ebb.release.manifest import MANIFEST
from local.executor.function import Function
from local.identity import Identity
from local.servers.ministack import MiniStack
from local.servers.valkey import Valkey
from stacks.constructs.database import DATABASE, OWNER, READER
from tests.fakes import cdk_command
from tests.fakes.aws_door import KEYS, REGION, Door, aws_door
from tests.fakes.data_api import CLUSTER, SECRET, DataApi, data_api
from tests.fakes.releases import tiny_release, version_in, with_manifest
from tests.home import ROOT, Home
from tests.integration.deploying.front import ISSUER, running_front
from tests.integration.rds_case import weak_administrator
from tests.integration.stack_case import client_of
from tests.integration.stage_case import CONTRACT, Stage, token_endpoint


@dataclass
class Site:
    """The stage and its surroundings.

    Attributes:
        folder: of this test.
        door: moto.
        data: the Data API.
        assembly: what `cdk synth` would have left.
        environment: of an operator's shell.
        bucket: of releases.
        stacks: a client of CloudFormation.
    """

    folder: Path
    door: Door
    data: DataApi
    assembly: Path
    environment: dict[str, str]
    bucket: str
    stacks: Any

    def release(self, bias: float) -> Path:
        """Make a release in a folder of releases, its champion; return the release's folder."""
        files = tiny_release(bias, CONTRACT)
        del files[MANIFEST]
        whole, store = with_manifest(files, parse_contract(CONTRACT, "its contract")), self.folder / "releases"
        FolderReleases(store).write("synthetic", version_in(whole), whole)
        FolderReleases(store).set_champion("synthetic", version_in(whole))
        return store / "synthetic" / version_in(whole)

    def stand_in(self, **told: str) -> None:
        """Tell CDK's stand-in what to do next time."""
        Path(self.environment[cdk_command.STAND_IN]).write_text(json.dumps(told))

    def objects(self) -> list[str]:
        """Return the keys in the bucket."""
        pages = self.door.client("s3").list_objects_v2(Bucket=self.bucket)
        return sorted(each["Key"] for each in pages.get("Contents", ()))


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Start everything, lend it, and end it."""
    with ExitStack() as stack:
        door = stack.enter_context(aws_door())
        bucket = door.bucket()
        server = MiniStack.start(folder / "ministack")
        stack.callback(server.stop)
        database = stack.enter_context(weak_administrator(folder / "postgres", DATABASE))
        data = stack.enter_context(data_api(database, (OWNER, READER)))
        valkey = Valkey.start(folder / "valkey")
        stack.callback(valkey.stop)
        identity = Identity.load_or_create(folder / "identity")
        functions = _functions(folder, door, bucket, valkey, database)
        invoke, gateway = stack.enter_context(running_front(functions, folder / "logs", identity))
        address = f"http://127.0.0.1:{gateway}"
        home = SimpleNamespace(state_home=folder / "identity", state=SimpleNamespace(issuer=ISSUER, url=address))
        stage = Stage(cast("Home", home), door.url)
        stack.enter_context(token_endpoint(stage))
        outputs = _clients(server, stage) | {"Address": address, "TokenUrl": stage.token_url}
        assembly = _assembly(folder / "assembly", outputs, bucket)
        stacks = client_of("cloudformation", server.url)
        stacks.create_stack(StackName="CDKToolkit", TemplateBody=_template({}))
        environment = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ENDPOINT_URL_S3": door.url,
            "AWS_ENDPOINT_URL_STS": door.url,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{invoke}",
            "AWS_ENDPOINT_URL_RDS_DATA": data.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **KEYS,
            "EBB_CDK": shlex.join([sys.executable, str(Path(cdk_command.__file__))]),
            cdk_command.STAND_IN: str(folder / "stand-in.json"),
            "EBB_HOME": str(folder / "home"),
            "COLUMNS": "200",
        }
        (folder / "home").mkdir()
        yield Site(folder, door, data, assembly, environment, bucket, stacks)


def _functions(folder: Path, door: Door, bucket: str, valkey: Valkey, database: PostgresAddress) -> list[Function]:
    """Return the functions, told what the stacks tell them."""
    folder.joinpath("secret").touch(0o600)
    folder.joinpath("secret").write_bytes(bytes(range(32)))
    told = {
        **door.environment,
        "EBB_STAGE_SECRET_FILE": str(folder / "secret"),
        "EBB_RELEASES": f"s3://{bucket}/releases",
        "EBB_ROUTING": f"s3://{bucket}/routing",
        "EBB_CONTRACT": "synthetic",
        "EBB_VALKEY_HOST": "127.0.0.1",
        "EBB_VALKEY_PORT": str(valkey.port),
        "EBB_POSTGRES_HOST": database.host,
        "EBB_POSTGRES_PORT": str(database.port),
        "EBB_POSTGRES_DATABASE": database.database,
        "EBB_POSTGRES_PASSWORD": database.password or "",
    }
    users = {"predict": READER, "records": OWNER, "migrate": OWNER}
    return [
        Function(
            name, f"lambdas.{name}.handler.handle", {**told, "EBB_POSTGRES_USER": user}, ROOT, 60.0, environments=1
        )
        for name, user in users.items()
    ]


def _clients(server: MiniStack, stage: Stage) -> dict[str, str]:
    """Make the pool and its clients; return the outputs about them."""
    cognito = client_of("cognito-idp", server.url)
    stage.pool = cognito.create_user_pool(PoolName="callers")["UserPool"]["Id"]
    outputs = {"UserPoolId": stage.pool}
    for client in CLIENTS:
        told = cognito.create_user_pool_client(UserPoolId=stage.pool, ClientName=client.name, GenerateSecret=True)
        made = told["UserPoolClient"]
        stage.allowed[made["ClientId"]] = (client.name, made["ClientSecret"], frozenset(client.scopes))
        outputs[f"Client{client.name.capitalize()}"] = made["ClientId"]
    return outputs


def _assembly(folder: Path, inference: Mapping[str, str], bucket: str) -> Path:
    """Write three small templates, which tell what the real ones tell."""
    folder.mkdir()
    outputs = {
        "ebb-dev-feature-store": {"ClusterArn": CLUSTER, "AdministratorArn": SECRET, "MigrateName": "migrate"},
        "ebb-dev-registry": {"BucketName": bucket, "PublisherArn": "arn:aws:iam::123456789012:role/publisher"},
        "ebb-dev-inference": inference,
    }
    artifacts = {}
    for name, told in outputs.items():
        (folder / f"{name}.template.json").write_text(_template(told))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://unknown-account/{REGION}",
            "properties": {"templateFile": f"{name}.template.json"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def _template(outputs: Mapping[str, str]) -> str:
    told = {name: {"Value": value} for name, value in outputs.items()}
    document: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    return json.dumps(document | ({"Outputs": told} if told else {}))
