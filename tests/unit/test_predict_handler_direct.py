"""What the prediction handler answers past the gateway, and which of its answers count as failed."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ebb.folder import FolderReleases
from ebb.release import manifest as m
from ebb.shift.questions import HEALTH, NAMED, ONE, question
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.releases import tiny_release, version_in
from tests.unit.test_handlers import ENVIRONMENT


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler with a store that has no release yet."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    where = {"EBB_RELEASES": tmp_path, "EBB_ROUTING": tmp_path / "routing", "EBB_STAGE_SECRET_FILE": secret}
    for name, value in {**ENVIRONMENT, **where}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delitem(sys.modules, "lambdas.predict.handler", raising=False)
    return importlib.import_module("lambdas.predict.handler")


def failures(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each answer that counts as failed."""
    counted: list[int] = []
    monkeypatch.setattr(handler.SERVICE, "failed", lambda: counted.append(1))
    return counted


def test_a_hook_hears_of_every_release_and_of_one_that_is_altered(handler: ModuleType, tmp_path: Path) -> None:
    assert json.loads(handler.handle(question(NAMED), None)["body"])["releases"] == []
    files = tiny_release()
    release, store = version_in(files), FolderReleases(tmp_path)
    store.write("tiny", release, files)
    store.set_champion("tiny", release)
    assert json.loads(handler.handle(question(NAMED), None)["body"])["releases"] == [release]
    asked = question(ONE, {"release": release})
    assert json.loads(handler.handle(asked, None)["body"]) == {"release": release, "refused": None}
    (model,) = tmp_path.rglob(m.MODEL)
    model.chmod(0o644)
    model.write_bytes(b"")
    assert m.MODEL in json.loads(handler.handle(asked, None)["body"])["refused"]


def test_an_answer_of_500_or_more_counts_as_failed(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = failures(handler, monkeypatch)
    body = json.dumps({"entity_id": "e", "features": ROW}).encode()
    assert handler.handle(event("POST /v1/predictions", body), None)["statusCode"] == 503
    assert counted == [1]
    assert handler.handle(event("POST /v1/predictions", b"{"), None)["statusCode"] == 400
    assert handler.handle(question(HEALTH), None)["statusCode"] == 200
    assert counted == [1]


def test_the_metric_of_failures_is_counted_by_the_wired_service(
    handler: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"entity_id": "e", "features": ROW}).encode()
    for _ in range(100):
        handler.handle(event("POST /v1/predictions", body), None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert sum(line.get("failed", 0) for line in lines) == 100
