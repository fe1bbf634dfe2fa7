"""What is shipped works: Lambda's Python loads every function from its archives alone, and they answer."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cdk.archives import functions
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.releases import tiny_release
from tests.home import ROOT
from tests.integration.databases import Database
from tests.integration.package_case import Shipped, imports_of, python
from tests.integration.swapping import write_releases

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def shipped(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Its archives, unpacked; no source in them can be compiled any more, so that bytecode alone can serve."""
    unpacked = Shipped.unpack(packed, tmp_path_factory.mktemp("shipped"))
    assert unpacked.spoil_sources() > 1_000
    return unpacked


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, valkey_server: Valkey
) -> dict[str, str]:
    """Real servers, an empty database, a release."""
    home = tmp_path_factory.mktemp("environment")
    write_releases(home, [tiny_release()])
    secret = home / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    database = Database.fresh(postgres_server, to="base")
    return {
        "EBB_RELEASES": str(home / "releases"),
        "EBB_ROUTING": str(home / "routing"),
        "EBB_STAGE_SECRET_FILE": str(secret),
        "EBB_CONTRACT": "tiny",
        "EBB_VALKEY_HOST": "127.0.0.1",
        "EBB_VALKEY_PORT": str(valkey_server.port),
        "EBB_POSTGRES_HOST": postgres_server.host,
        "EBB_POSTGRES_PORT": str(postgres_server.port),
        "EBB_POSTGRES_USER": postgres_server.user,
        "EBB_POSTGRES_PASSWORD": postgres_server.password,
        "EBB_POSTGRES_DATABASE": database.name,
        # Sampled, so that the tracer is loaded; nobody listens there.
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "_X_AMZN_TRACE_ID": "Root=1-5e5ffb9e-41414141414141414141413d;Parent=53995c3f42cd8ad8;Sampled=1",
    }


def _body(answer: dict[str, Any]) -> Any:
    return json.loads(answer["body"])


def test_from_an_empty_database_to_a_prediction(shipped: Shipped, environment: dict[str, str]) -> None:
    before = shipped.files()
    migrated = shipped.run("migrate", environment, [{"to": "head"}, {"to": "base"}, {}])["answers"]
    assert migrated[0]["from"] == "base" == migrated[1]["to"]
    assert migrated[0]["to"] == migrated[2]["to"] > "0001"

    path = {"entity_id": "e-shipped"}
    put = event(
        "PUT /v1/features/{entity_id}", json.dumps({"features": ROW}).encode(), scope="features:write", path=path
    )
    kept = shipped.run("records", environment, [put])
    assert kept["answers"][0]["statusCode"] == 200, kept

    asked = json.dumps({"entity_id": "e-shipped"}).encode()
    predicted = shipped.run("predict", environment, [event("POST /v1/predictions", asked)])
    answer = _body(predicted["answers"][0])
    assert predicted["answers"][0]["statusCode"] == 200, answer
    assert answer["degraded"] is False
    assert 0 < answer["probability"] < 1

    done = shipped.run("maintain", environment, [{"task": "all"}])
    assert done["answers"][0]["failed"] == {}
    for told in (kept, predicted, done):
        assert told["compiled"] == told["elsewhere"] == []
    assert shipped.files() == before, "something was compiled or written where the archives were unpacked"


def test_the_pages_that_load_fastapi(shipped: Shipped, environment: dict[str, str]) -> None:
    assets = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "start.js")
    events = [event("GET /docs/{asset}", path={"asset": asset}) for asset in assets]
    events += [event(key) for key in ("GET /docs", "GET /openapi.json", "GET /v1/health", "GET /v1/releases")]
    told = shipped.run("predict", environment, events)
    assert [answer["statusCode"] for answer in told["answers"]] == [200] * len(events)
    pictures = told["answers"][2]
    assert base64.b64decode(pictures["body"]).startswith(b"\x89PNG")
    assert _body(told["answers"][5])["openapi"].startswith("3.1")
    assert told["elsewhere"] == []


@pytest.mark.parametrize("hook", ["preflight", "postflight"])
def test_a_hook_says_what_it_was_not_told(hook: str, shipped: Shipped, environment: dict[str, str]) -> None:
    told = shipped.run(hook, environment, [{}])
    because = "the environment variable EBB_SHIFT_TARGET is not set"
    assert told["answers"] == [{"passed": False, "because": because, "told": False}]
    assert told["compiled"] == told["elsewhere"] == []


@pytest.mark.parametrize("function", ["maintain", "migrate", "postflight", "predict", "preflight", "records"])
def test_every_import_is_shipped_also_those_inside_functions(
    function: str, packed: Path, shipped: Shipped, environment: dict[str, str]
) -> None:
    wanted = imports_of(packed, function)
    assert ("aws_xray_sdk.core", "xray_recorder") in wanted
    told = shipped.run(function, environment, imports=wanted)
    assert told["compiled"] == told["elsewhere"] == []


def test_no_function_is_forgotten_here(packed: Path) -> None:
    # A new one joins the list above with the environment that it needs.
    assert set(functions(packed)) == {"maintain", "migrate", "postflight", "predict", "preflight", "records"}


def test_the_smoke_program_of_the_other_processor_runs_here_too(shipped: Shipped) -> None:
    places = [str(shipped.folder / "task/predict"), str(shipped.folder / "opt/python")]
    program = ROOT / "local/package/smoke.py"
    command = [str(python()), "-I", "-S", "-B", str(program), *places]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "scored [0.98" in done.stdout
