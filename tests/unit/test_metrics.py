"""Metrics: few lines, each as CloudWatch reads it, and nothing of a person in them."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.metrics import Metrics, Silent

GOLDEN = (
    '{"_aws":{"Timestamp":1800000000250,"CloudWatchMetrics":[{"Namespace":"Ebb",'
    '"Dimensions":[["function","contract"]],"Metrics":[{"Name":"read_fast","Unit":"Count"},'
    '{"Name":"requests","Unit":"Count"},{"Name":"breaker_valkey","Unit":"None"}]}]},'
    '"function":"predict","contract":"churn","breaker_valkey":2,"read_fast":3,"requests":2}\n'
)


class Clock:
    """Seconds that pass only when told."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def _metrics(lines: list[str], clock: Callable[[], float]) -> Metrics:
    dimensions = {"function": "predict", "contract": "churn"}
    return Metrics(dimensions, write=lines.append, clock=clock, wall=lambda: 1_800_000_000.25)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def metrics(lines: list[str], clock: Clock) -> Metrics:
    return _metrics(lines, clock)


def test_the_line_is_the_golden_one(metrics: Metrics, lines: list[str]) -> None:
    metrics.count("read_fast")
    metrics.count("read_fast", 2)
    metrics.gauge("breaker_valkey", 1)
    metrics.gauge("breaker_valkey", 2)
    metrics.tick()
    metrics.tick()
    metrics.flush()
    assert lines == [GOLDEN]


def test_a_hundred_requests_make_one_line(metrics: Metrics, lines: list[str]) -> None:
    for _ in range(350):
        metrics.count("read_fast")
        metrics.tick()
    assert [json.loads(line)["requests"] for line in lines] == [100, 100, 100]
    assert [json.loads(line)["read_fast"] for line in lines] == [100, 100, 100]


def test_ten_seconds_make_one_line(metrics: Metrics, lines: list[str], clock: Clock) -> None:
    metrics.tick()
    clock.now += 9.9
    metrics.tick()
    assert not lines
    clock.now += 0.1
    metrics.tick()
    assert [json.loads(line)["requests"] for line in lines] == [3]
    clock.now += 9.9
    metrics.tick()
    assert len(lines) == 1


def test_counts_start_anew_and_states_stay(metrics: Metrics, lines: list[str]) -> None:
    metrics.count("read_fast")
    metrics.gauge("breaker_valkey", 2)
    metrics.flush()
    metrics.flush()
    first, second = map(json.loads, lines)
    assert (first["read_fast"], first["breaker_valkey"]) == (1, 2)
    assert "read_fast" not in second
    assert second["breaker_valkey"] == 2


def test_nothing_makes_no_line(metrics: Metrics, lines: list[str]) -> None:
    metrics.flush()
    assert not lines


def test_more_than_a_hundred_metrics_are_told_in_more_directives(metrics: Metrics, lines: list[str]) -> None:
    for number in range(250):
        metrics.count(f"m{number}")
    metrics.flush()
    directives = json.loads(lines[0])["_aws"]["CloudWatchMetrics"]
    assert [len(directive["Metrics"]) for directive in directives] == [100, 100, 50]


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "7590-VHVEG", "a" * 65, "a-b", "a\n", "é", "function"])
def test_what_is_no_name_of_the_code_never_becomes_a_metric(metrics: Metrics, lines: list[str], name: str) -> None:
    with pytest.raises(ValueError, match="a metric's name must be") as count:
        metrics.count(name)
    with pytest.raises(ValueError, match="a metric's name must be"):
        metrics.gauge(name, 1)
    assert str(count.value) == "a metric's name must be one lower-case word of letters, digits and underscores"
    metrics.flush()
    assert not lines


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 1_000), st.floats(0, 4), st.booleans())),
)
def test_no_count_is_lost_or_told_twice(told: list[tuple[str, int, float, bool]]) -> None:
    lines: list[str] = []
    clock = Clock()
    metrics = _metrics(lines, clock)
    for name, by, pause, ends in told:
        clock.now += pause
        metrics.count(name, by)
        if ends:
            metrics.tick()
    metrics.flush()
    for name in "abc":
        expected = sum(by for found, by, _, _ in told if found == name)
        assert sum(json.loads(line).get(name, 0) for line in lines) == expected
    assert sum(json.loads(line).get("requests", 0) for line in lines) == sum(ends for *_, ends in told)


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics({"function": "predict"})
    metrics.count("read_fast")
    metrics.flush()
    captured = capsys.readouterr()
    assert json.loads(captured.out)["read_fast"] == 1
    assert captured.out.count("\n") == 1


def test_silent_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Silent().count("a", 2)
    Silent().gauge("a", 1)
    assert capsys.readouterr() == ("", "")
