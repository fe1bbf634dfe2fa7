"""Measured figures are those of the benchmarks' page, and computed ones are what the code does today."""

import json
import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from cdk.pricing.measured import read_measured
from cdk.stages import STAGES
from ebb.events.event import PredictionEvent
from ebb.events.layout import Layout
from ebb.http.compression import compressed
from ebb.http.problems import ok
from ebb.metrics import Metrics
from lambdas.predict import described
from stacks.constructs.access import _TOKEN_MINUTES
from stacks.constructs.door import LOGGED
from tests.fakes.made_contracts import contract_of
from tests.fakes.prediction_events import event_log, made_event
from tests.home import ROOT

M = read_measured()
DRIFT = 0.15
"""What a figure may differ from the page's: two runs of the benchmarks differ by a tenth."""
FEATURES = 30
NAMES = 18
WORDS = ["basic", "plus", "premium", "monthly"]


@pytest.mark.parametrize("name", [name for name, figure in M.by_name.items() if figure.how == "measured"])
def test_a_measured_figure_is_the_one_of_the_benchmarks(name: str) -> None:
    figure = M.by_name[name]
    page = (ROOT / "docs/benchmarks.md").read_text()
    row = re.search(rf"^\| {re.escape(figure.figure)} \| ([\d.,]+) {figure.unit} \|", page, re.MULTILINE)
    assert row is not None, f"docs/benchmarks.md has no figure {figure.figure!r}: name another in measured.toml"
    measured = float(row[1].replace(",", ""))
    assert figure.value == pytest.approx(measured, rel=DRIFT), (
        f"docs/benchmarks.md says {measured} {figure.unit} now: write it into cdk/pricing/measured.toml"
    )


def test_an_assumed_figure_says_why() -> None:
    unexplained = {n for n, f in M.by_name.items() if f.how == "assumed" and not f.note}
    assert unexplained <= {
        "durable_io",
        "release_gigabytes",
        "image_gigabytes",
        "deployments",
        "fault_minutes",
        "notifications",
    }


class Kept:
    """A sink in memory."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Sequence[bytes]) -> None:
        self.lines.extend(lines)


def test_an_event_of_thirty_features_has_so_many_bytes_and_shrinks_so_far() -> None:
    rng, sink = random.Random(0), Kept()  # noqa: S311 - values of features
    log = event_log(sink)
    for number in range(300):
        log.record([_event(rng, number)])
    _assert_sizes(sink, 300, "event")


def test_a_row_s_event_of_a_batch_has_so_many_bytes_and_shrinks_so_far() -> None:
    rng, sink = random.Random(0), Kept()  # noqa: S311 - values of features
    events = [_event(rng, number) for number in range(1_000)]
    event_log(sink).record([replace(event, time=1.8e9, milliseconds=0.0721875, cost=1.9e-9) for event in events])
    _assert_sizes(sink, 1_000, "row_event")


def _assert_sizes(sink: Kept, events: int, figure: str) -> None:
    text = b"".join(line + b"\n" for line in sink.lines)
    assert len(text) / events == pytest.approx(M[f"{figure}_bytes"], rel=0.02)
    assert len(zlib.compress(text)) / len(text) == pytest.approx(M[f"{figure}_compressed"], abs=0.03)


def _layout() -> Layout:
    numbers = [f'name = "number_{at:02d}"; kind = "number"' for at in range(FEATURES * 2 // 3)]
    listed = ", ".join(f'"{word}"' for word in WORDS)
    words = [f'name = "category_{at:02d}"; kind = "category"; categories = [{listed}]' for at in range(FEATURES // 3)]
    return Layout(contract_of(*numbers, *words, name="priced"))


LAYOUT = _layout()


def _event(rng: random.Random, number: int) -> PredictionEvent:
    numbers = {f"number_{at:02d}": round(rng.gauss(50, 20), 6) for at in range(FEATURES * 2 // 3)}
    words = {f"category_{at:02d}": rng.choice(WORDS) for at in range(FEATURES // 3)}
    return made_event(
        id=f"{rng.getrandbits(96):024x}",
        request="Uo2Yjh0FIAMEb-A=",
        client="1example23456789abcdefghij",
        entity_id=f"c-{number:07d}",
        time=1.8e9 + number / 100,
        milliseconds=1.625 + rng.random(),
        inputs=numbers | words,
        ages=86520.25,
        requested=[],
        stale=[],
        probability=rng.random(),
        decision="act",
        layout=LAYOUT,
    )


def test_an_answer_has_so_many_bytes() -> None:
    digits = {"probability": 0.31117600202560425, "expected_profit": 67.68415832519531}
    body = json.dumps({**described._SCORED, **digits}, separators=(",", ":"))
    assert len(body) == pytest.approx(M["answer_bytes"], rel=0.05)
    assert len(json.dumps({"entity_id": "c-000123"})) <= M["question_bytes"]


def test_a_row_of_a_batch_s_answer_has_so_many_bytes() -> None:
    rng = random.Random(0)  # noqa: S311 - values of features
    rows, freshness = list[dict[str, object]](), dict(described._FRESHNESS)
    for number in range(1_000):
        probability, features = rng.random(), {**freshness, "oldest_seconds": rng.uniform(0, 1e5)}
        digits = {"probability": probability, "expected_profit": probability * 50 - 10, "features": features}
        whom = {"prediction_id": f"{rng.getrandbits(96):024x}", "entity_id": f"c-{number:07d}"}
        rows.append({**described._SCORED, **digits, **whom})
    packed = compressed(ok({"predictions": rows, "failed": 0}, "c-1"), {"accept-encoding": "gzip"})
    assert len(packed.body) / 1_000 == pytest.approx(M["row_answer_bytes"], rel=0.05)


def test_a_line_of_the_access_log_has_so_many_bytes() -> None:
    usual = {
        "requestId": "Uo2Yjh0FIAMEb-A=",
        "time": "1795438825897",
        "route": "POST /v1/predictions",
        "status": "200",
        "latency": "12",
        "integrationLatency": "9",
        "bytes": "420",
        "client": "1example23456789abcdefghij",
        "error": "-",
        "integrationError": "-",
    }
    assert usual.keys() == LOGGED.keys()
    assert len(json.dumps(usual)) + 1 == pytest.approx(M["access_log_bytes"], rel=0.02)


def test_a_line_of_metrics_has_so_many_bytes_after_so_many_requests() -> None:
    written: list[str] = []
    metrics = Metrics({"function": "predict", "contract": "telco"}, write=written.append, clock=lambda: 0.0)
    for request in range(100):
        for name in ("predictions", "read_fast", "score_sum", "variant_champion", "variant_challenger"):
            metrics.count(name, 1)
        metrics.count("cost_usd_champion", 2.7e-8)
        metrics.observe("latency_ms", round(1.5 + request / 1e3, 4))
        for at in range(NAMES - 7):
            metrics.gauge(f"breaker_server_{at:02d}", 0.0)
        metrics.tick()
    assert len(written) == 1, "a line for a hundred requests"
    assert M["metrics_lines"] == 100
    assert len(written[0]) == pytest.approx(M["metrics_bytes"], rel=0.15)


def test_a_token_lasts_as_long_and_the_memory_suffices() -> None:
    assert M["token_hours"] == _TOKEN_MINUTES / 60
    assert all(stage.serving.memory_mb > 2 * M["memory"] for stage in STAGES.values())
