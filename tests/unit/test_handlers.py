"""The handlers as the runtime client loads them: environment in, service out; both functions."""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.errors import Misuse
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from ebb.settings import Settings
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.payloads import Asked
from tests.fakes.releases import tiny_release

ENVIRONMENT = {
    "EBB_CONTRACT": "tiny",
    "EBB_VALKEY_HOST": "127.0.0.1",
    "EBB_VALKEY_PORT": "1",
    "EBB_POSTGRES_HOST": "127.0.0.1",
    "EBB_POSTGRES_PORT": "1",
    "EBB_POSTGRES_USER": "u",
    "EBB_POSTGRES_PASSWORD": "p",
    "EBB_POSTGRES_DATABASE": "d",
}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which no server answers, and a release lies in a folder."""
    files = tiny_release()
    store = FolderReleases(tmp_path)
    store.write("tiny", m.version_of(files), files)
    store.set_champion("tiny", m.version_of(files))
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    where = {"EBB_RELEASES": tmp_path, "EBB_ROUTING": tmp_path / "routing", "EBB_STAGE_SECRET_FILE": secret}
    for name, value in {**ENVIRONMENT, **where}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("lambdas.predict.handler", "lambdas.records.handler", "lambdas.maintain.handler"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_the_prediction_handler(environment: Path) -> None:
    handler = importlib.import_module("lambdas.predict.handler")
    whole = orjson.dumps({"entity_id": "new", "features": ROW})
    answered = handler.handle(event("POST /v1/predictions", whole), None)
    assert orjson.loads(answered["body"])["degraded"] is False
    nowhere = handler.handle(event("POST /v1/predictions", orjson.dumps({"entity_id": "e"})), None)
    assert orjson.loads(nowhere["body"])["degraded_because"] == ["the feature store does not answer"]
    health = handler.handle(event("GET /v1/health"), None)
    assert orjson.loads(health["body"])["release"] == f"tiny/{FolderReleases(environment).champion('tiny')}"
    for odd in ({}, event("GET /nowhere"), {**event("GET /x"), "routeKey": None}):
        answered = handler.handle(odd, None)
        assert answered["statusCode"] == (404 if odd else 400)
        assert orjson.loads(answered["body"])["correlation_id"] == answered["headers"]["x-correlation-id"]
    nothing: list[Any] = [[], "Ada", 5, None, {"routeKey": []}, {"routeKey": {"a": 1}}]
    for none in nothing:
        assert handler.handle(none, None)["statusCode"] == 400
    asyncio.get_event_loop().close()


def test_the_records_handler(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.is_dir()
    handler = importlib.import_module("lambdas.records.handler")
    body = orjson.dumps({"features": ROW})
    path = {"entity_id": "e-1"}
    answered = handler.handle(event("PUT /v1/features/{entity_id}", body, scope="features:write", path=path), None)
    assert answered["statusCode"] == 503
    assert "A server that is needed is away" in answered["body"]
    many = orjson.dumps({"entities": [{"entity_id": "e-1", "features": {"tenure": -1}}]})
    refused = handler.handle(event("POST /v1/features/batch", many, scope="features:write"), None)
    assert refused["statusCode"] == 422
    assert handler.handle(event("GET /nowhere"), None)["statusCode"] == 404
    assert handler.handle({}, None)["statusCode"] == 400
    assert "Ghent" not in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["EBB_RELEASES", "EBB_VALKEY_PORT", "EBB_POSTGRES_PASSWORD"])
def test_a_missing_variable_is_named(missing: str) -> None:
    given = {**ENVIRONMENT, "EBB_RELEASES": "r"}
    del given[missing]
    with pytest.raises(Misuse, match=f"{missing} is not set"):
        Settings.from_environment(given)


def test_a_port_that_is_none_is_named() -> None:
    with pytest.raises(Misuse, match="EBB_VALKEY_PORT must be a port number"):
        Settings.from_environment({**ENVIRONMENT, "EBB_RELEASES": "r", "EBB_VALKEY_PORT": "x"})


def test_the_password_is_never_shown() -> None:
    assert "p4ss" not in repr(
        Settings.from_environment({**ENVIRONMENT, "EBB_RELEASES": "r", "EBB_POSTGRES_PASSWORD": "p4ss"})
    )


def test_the_maintenance_handler_names_what_failed_and_repeats_nothing(
    environment: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.is_dir()
    handler = importlib.import_module("lambdas.maintain.handler")
    done = handler.handle({"task": "all"}, None)
    assert done["task"] == "all"
    assert set(done["failed"]) == {"repair", "refresh", "refill", "months", "check", "keys", "changes"}
    assert all("does not answer" in sentence for sentence in done["failed"].values())
    for task in ("Ada Lovelace", ["Ada Lovelace"], {"Ada": 1}, None):
        answered = handler.handle({"task": task}, None)
        assert "choose one of all" in answered["failed"]["task"]
        assert "Ada" not in str(answered)

    def surprise(_task: str) -> None:
        raise KeyError("Ada Lovelace")

    monkeypatch.setattr(handler.MAINTENANCE, "run", surprise)
    assert "unexpected KeyError" in handler.handle({}, None)["failed"]["task"]
    assert "Ada" not in capsys.readouterr().err


def test_both_handlers_take_what_a_rest_api_sends(environment: Path) -> None:
    assert environment.is_dir()
    body = orjson.dumps({"entity_id": "new", "features": ROW})
    handler = importlib.import_module("lambdas.predict.handler")
    answered = handler.handle(Asked("POST", "/v1/predictions", body).of_rest_api(), None)
    assert (answered["statusCode"], orjson.loads(answered["body"])["degraded"]) == (200, False)
    health = handler.handle(Asked("GET", "/v1/health").of_rest_api(), None)
    assert orjson.loads(health["body"])["status"] == "ok"
    odd = {"httpMethod": "GET", "resource": "/nowhere", "requestContext": None}
    assert handler.handle(odd, None)["statusCode"] == 400
    asyncio.get_event_loop().close()
    records = importlib.import_module("lambdas.records.handler")
    write = Asked("PUT", "/v1/features/e-1", b"[]", claims={"client_id": "me", "scope": "ebb/features:write"})
    refused = records.handle(write.of_rest_api(), None)
    assert refused["statusCode"] == 422
