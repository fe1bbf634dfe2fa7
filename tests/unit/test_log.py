"""The log: lines as Powertools writes them, imported with the first one, and no answer fails for one."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.http.doors import answer, report_to_log
from ebb.http.problems import Answer
from ebb.log import Log
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.predicting import World

PROGRAM = """
import logging, os, sys
logging.root.addHandler(logging.StreamHandler(sys.stdout))  # as the runtime client does
from ebb.http.doors import report_to_log
from ebb.log import LOG
assert "aws_lambda_powertools" not in sys.modules
report_to_log("release refused: its sha256 is another", "call-1")
assert "aws_lambda_powertools" in sys.modules
LOG.cold = False
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-6553f100-89ab4cde8f01234567890123;Parent=8f01234567890123;Sampled=0"
report_to_log("unavailable: Postgres does not answer", "")
"""
ENVIRONMENT = {"AWS_LAMBDA_FUNCTION_NAME": "predict", "PYTHONPATH": ":".join(sys.path), "LANG": "C.UTF-8"}
CANARY = "Canary-City-4711"


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_says_what_where_and_to_which_call() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout == "", "the runtime client must not tell it again"
    first, second = _lines(done.stderr)
    stamp = first.pop("timestamp")
    assert stamp.startswith("20")
    assert stamp.endswith("+00:00")
    assert first == {
        "level": "ERROR",
        "message": "release refused: its sha256 is another",
        "service": "ebb",
        "function_name": "predict",
        "cold_start": True,
        "correlation_id": "call-1",
    }
    assert list(second) == [
        "level",
        "message",
        "timestamp",
        "service",
        "function_name",
        "cold_start",
        "xray_trace_id",
    ]
    assert second["cold_start"] is False
    assert second["xray_trace_id"] == "1-6553f100-89ab4cde8f01234567890123"


def test_without_powertools_the_line_is_poorer_but_there(tmp_path: Path) -> None:
    (tmp_path / "aws_lambda_powertools.py").write_text("raise ImportError('the layer is broken')")
    environment = {**ENVIRONMENT, "PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    program = "from ebb.http.doors import report_to_log; report_to_log('the fast tier is away', 'call-1')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    (line,) = _lines(done.stderr)
    assert line["message"] == "the fast tier is away"
    assert line["correlation_id"] == "call-1"
    assert line["without_powertools"] == "ImportError"


class Broken(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, _text: str) -> int:
        raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("I/O operation on closed file")])
def test_a_log_that_takes_nothing_fails_no_answer(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(error))

    def route(_call: object) -> Answer:
        raise KeyError(CANARY)

    answered = answer(event("POST /v1/predictions"), route, report_to_log)
    assert answered.status == 500
    assert CANARY.encode() not in answered.body


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters()), st.text())
def test_whatever_is_told_is_one_line(monkeypatch: pytest.MonkeyPatch, what: str, correlation_id: str) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    Log({}).error(what, correlation_id)
    written = out.getvalue()
    assert written.count("\n") == 1
    line = json.loads(written)
    assert line["message"] == what
    assert line.get("correlation_id", "") == correlation_id


def test_a_sentence_that_is_json_stays_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("12", "null", '{"level": "INFO", "entity": 1}', "%s of %d"):
        Log({}).error(what, "call-1")
    found = _lines(capsys.readouterr().err)
    assert [line["message"] for line in found] == ["12", "null", '{"level": "INFO", "entity": 1}', "%s of %d"]
    assert {line["level"] for line in found} == {"ERROR"}


def test_lines_of_an_answer_hold_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path)
    world.recorder.away = True

    def surprise(_call: object) -> Answer:
        raise RuntimeError(f"{CANARY} of {ROW}")

    asked = event("POST /v1/predictions", json.dumps({"entity_id": CANARY, "features": ROW}).encode())
    assert answer(asked, world.service.predict, report_to_log).status == 503
    assert answer(asked, surprise, report_to_log).status == 500
    captured = capsys.readouterr()
    found = _lines(captured.err)
    assert [line["message"].split(" ")[0] for line in found] == ["unavailable:", "unexpected"]
    assert all(line["correlation_id"] for line in found)
    for value in (CANARY, "Ghent", "basic"):
        assert value not in captured.err + captured.out


def test_the_loggers_of_others_are_left_alone() -> None:
    Log({}).error("first", "")
    assert logging.getLogger("redis").handlers == []
    assert all(type(handler).__name__ != "_Lines" for handler in logging.root.handlers)


def test_what_went_well_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    Log({"AWS_LAMBDA_FUNCTION_NAME": "preflight"}).info("all is well", "call-2")
    (line,) = _lines(capsys.readouterr().err)
    told = {key: line[key] for key in ("level", "message", "correlation_id", "cold_start")}
    assert told == {"level": "INFO", "message": "all is well", "correlation_id": "call-2", "cold_start": True}
