"""The local cloud in the part of a stage: found by CloudFormation's outputs, entered through a token endpoint.

Emulated are CloudFormation and Cognito's DescribeUserPoolClient (MiniStack), and here Cognito's token endpoint (RFC
6749, 4.4, with Cognito's names of scopes); gateway, functions, Valkey and Postgres are real.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cdk.stages import CLIENTS
from ebb.contract import parse_contract
from ebb.folder import FolderReleases
from ebb.release.manifest import MANIFEST
from local.calling.local_cloud import AUDIENCE
from local.calling.stage import COGNITO_PREFIX
from local.identity import Identity
from local.servers.ministack import MiniStack
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release, version_in, with_manifest
from tests.home import Home
from tests.integration.stack_case import client_of

CONTRACT = TEXT.replace('name = "tiny"', 'name = "synthetic"', 1)
"""The small contract under the name that the stages serve."""

PLANS = '[plans.slow]\nrate = 1_000\nburst = 1_000\n[clients]\nebb-load = "slow"\n'
"""What loads past the token endpoint may not do fast."""

AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass
class Stage:
    """The stage.

    Attributes:
        home: whose local cloud it is.
        aws: MiniStack's address.
        token_url: of the token endpoint.
        pool: the user pool's id.
        granted: (client, scopes) of each token that was given.
        allowed: scopes by client id, as the template gives them.
    """

    home: Home
    aws: str = ""
    token_url: str = ""
    pool: str = ""
    granted: list[tuple[str, str]] = field(default_factory=list)
    allowed: dict[str, tuple[str, str, frozenset[str]]] = field(default_factory=dict)

    def publish(self, bias: float) -> str:
        """Put a release where the stage's functions look for it; nobody promotes it. Return its version."""
        files = tiny_release(bias, CONTRACT)
        del files[MANIFEST]
        whole = with_manifest(files, parse_contract(CONTRACT, "its contract"))
        FolderReleases(self.home.state_home / "no-releases").write("synthetic", version_in(whole), whole)
        return version_in(whole)

    def environment(self) -> dict[str, str]:
        """Return what an operator's shell holds."""
        return {"AWS_ENDPOINT_URL": self.aws, **AWS}

    def deploy(self) -> None:
        """Make the clients, and deploy a stack that has the outputs as the templates name them."""
        cognito = client_of("cognito-idp", self.aws)
        self.pool = cognito.create_user_pool(PoolName="callers")["UserPool"]["Id"]
        outputs = {"Address": self.home.state.url, "TokenUrl": self.token_url, "UserPoolId": self.pool}
        for client in CLIENTS:
            made = cognito.create_user_pool_client(UserPoolId=self.pool, ClientName=client.name, GenerateSecret=True)
            told = made["UserPoolClient"]
            self.allowed[told["ClientId"]] = (client.name, told["ClientSecret"], frozenset(client.scopes))
            outputs[f"Client{client.name.capitalize()}"] = told["ClientId"]
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        stacks = client_of("cloudformation", self.aws)
        stacks.create_stack(StackName="ebb-dev-inference", TemplateBody=json.dumps(template))
        deadline = time.monotonic() + 60
        while stacks.describe_stacks(StackName="ebb-dev-inference")["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def grant(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token."""
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        name, known, allowed = self.allowed.get(client, ("", "", frozenset[str]()))
        if not known or secret != known or form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "invalid_client"}
        wanted = form.get("scope", [" ".join(COGNITO_PREFIX + scope for scope in sorted(allowed))])[0].split()
        if not {COGNITO_PREFIX + scope for scope in allowed} >= set(wanted):
            return 400, {"error": "invalid_scope"}
        self.granted.append((name, " ".join(wanted)))
        identity = Identity.load_or_create(self.home.state_home)
        token = identity.mint(name, wanted, 5, self.home.state.issuer, AUDIENCE)
        return 200, {"access_token": token, "expires_in": 300, "token_type": "Bearer"}


@contextmanager
def token_endpoint(stage: Stage) -> Iterator[None]:
    """Run the stage's token endpoint on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, document = stage.grant(self.headers.get("Authorization", ""), parse_qs(sent))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stage.token_url = f"http://127.0.0.1:{server.server_port}/oauth2/token"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def empty_stage(folder: Path) -> Iterator[Stage]:
    """Bring up a local cloud that serves nothing yet, and deploy it as the stage dev."""
    home, aws = Home(folder), MiniStack.start(folder / "aws")
    stage = Stage(home, aws.url)
    try:
        (folder / "plans.toml").write_text(PLANS)
        home.ok("up", "--port", "0", "--environments", "1", "--plans", str(folder / "plans.toml"), "--detach")
        with token_endpoint(stage):
            stage.deploy()
            yield stage
    finally:
        aws.stop()
        home.ebb("down")
