"""Metrics: few lines, each as CloudWatch reads it, and nothing of a person in them."""

import json
import math
from collections.abc import Callable
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.metric_units import UNITS, unit_of
from ebb.metrics import Metrics, Silent
from tests.emf import problems_of, values_of

GOLDEN = (
    '{"_aws":{"Timestamp":1800000000250,"CloudWatchMetrics":[{"Namespace":"Ebb",'
    '"Dimensions":[["function","contract"]],"Metrics":[{"Name":"read_fast","Unit":"Count"},'
    '{"Name":"cold_start","Unit":"Count"},{"Name":"requests","Unit":"Count"},{"Name":"breaker_valkey","Unit":"None"}]}]},'
    '"function":"predict","contract":"churn","read_fast":3,"cold_start":1,"requests":2,"breaker_valkey":2}\n'
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
    Silent().gauge("a", lambda: None)
    Silent().observe("a", 1)
    assert capsys.readouterr() == ("", "")


def test_a_cold_start_is_told_once(metrics: Metrics, lines: list[str]) -> None:
    for _ in range(250):
        metrics.tick()
    assert [json.loads(line).get("cold_start") for line in lines] == [1, None]


def test_a_distribution_carries_the_newest_hundred_and_starts_anew(metrics: Metrics, lines: list[str]) -> None:
    for number in range(150):
        metrics.observe("latency_ms", number / 2)
    metrics.flush()
    metrics.observe("latency_ms", 7.0)
    metrics.flush()
    metrics.count("read_fast")
    metrics.flush()
    first, second, third = map(json.loads, lines)
    assert first["latency_ms"] == [number / 2 for number in range(50, 150)]
    assert second["latency_ms"] == [7.0]
    assert "latency_ms" not in third


def test_a_state_may_be_asked_for_when_the_line_is_written(metrics: Metrics, lines: list[str], clock: Clock) -> None:
    def odd() -> float:
        raise RuntimeError("Ada Lovelace")

    metrics.gauge("model_age_seconds", lambda: clock.now)
    metrics.gauge("unknown_yet", lambda: None)
    metrics.gauge("no_number", lambda: math.nan)
    metrics.gauge("broken", odd)
    metrics.flush()
    clock.now += 5
    metrics.flush()
    assert [values_of(json.loads(line)) for line in lines] == [{"model_age_seconds": 50}, {"model_age_seconds": 55}]


def test_what_is_no_number_is_left_out(metrics: Metrics, lines: list[str]) -> None:
    metrics.count("score_sum", math.nan)
    metrics.count("cost_usd_champion", math.inf)
    metrics.observe("latency_ms", math.inf)
    metrics.observe("latency_ms", 1.5)
    metrics.flush()
    assert values_of(json.loads(lines[0])) == {"latency_ms": [1.5]}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("I/O operation on closed file")])
def test_a_line_that_cannot_be_written_fails_no_request(error: Exception) -> None:
    lines: list[str] = []

    def write(line: str) -> None:
        if not lines:
            lines.append("lost")
            raise error
        lines.append(line)

    metrics = Metrics({"function": "predict"}, write=write)
    for _ in range(200):
        metrics.tick()
    assert json.loads(lines[1])["requests"] == 100


def test_other_threads_count_beside_the_one_that_answers() -> None:
    lines: list[str] = []
    metrics = _metrics(lines, Clock())
    stop, told = Event(), [0, 0]

    def beside(number: int) -> None:
        while not stop.is_set():
            metrics.count("release_refused")
            metrics.observe("load_ms", 1.0)
            metrics.gauge("routing_version", told[number])
            told[number] += 1

    threads = [Thread(target=beside, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20_000):
        metrics.count("release_refused")
        metrics.count("read_fast")
        metrics.tick()
    stop.set()
    for thread in threads:
        thread.join()
    metrics.flush()
    found = [json.loads(line) for line in lines]
    assert sum(told) > 0
    assert sum(line["read_fast"] for line in found if "read_fast" in line) == 20_000
    assert sum(line.get("release_refused", 0) for line in found) == 20_000 + sum(told)
    assert all(len(line.get("load_ms", ())) <= 100 for line in found)


@pytest.mark.parametrize("name", ["requests", "cold_start"])
def test_a_dimension_is_never_named_like_what_is_counted_here(name: str) -> None:
    with pytest.raises(ValueError, match="a metric's name must be"):
        Metrics({name: "predict"})


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True), st.floats(), max_size=250),
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True), st.floats(), max_size=20),
    st.lists(st.floats(), max_size=300),
    st.dictionaries(
        st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20).filter(
            lambda name: name not in {"requests", "cold_start"}
        ),
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20),
        min_size=1,
        max_size=5,
    ),
)
def test_every_line_is_in_the_published_format(
    counts: dict[str, float], gauges: dict[str, float], measured: list[float], dimensions: dict[str, str]
) -> None:
    lines: list[str] = []
    metrics = Metrics(dimensions, write=lines.append)
    for name in dimensions:
        with pytest.raises(ValueError, match="a metric's name must be"):
            metrics.count(name)
    for name, by in counts.items():
        if name not in dimensions:
            metrics.count(name, by)
    for name, value in gauges.items():
        if name not in dimensions:
            metrics.gauge(name, value)
    for value in measured:
        if "latency_ms" not in dimensions:
            metrics.observe("latency_ms", value)
    metrics.tick()
    metrics.flush()
    assert len(lines) == 1
    assert lines[0].endswith("}\n")
    assert lines[0].count("\n") == 1
    assert problems_of(json.loads(lines[0])) == []


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("latency_ms", "Milliseconds"),
        ("variant_champion", "Count"),
        ("cost_usd_rules", "None"),
        ("breaker_valkey_replica", "None"),
        ("breaker_valkey_replica_half_open", "Count"),
        ("breaker_postgres_open", "Count"),
        ("read_cache", "Count"),
        ("model_age_seconds", "Seconds"),
        ("read_", "None"),
        ("never_heard_of", "None"),
    ],
)
def test_units(name: str, unit: str) -> None:
    assert unit_of(name) == unit
    assert set(UNITS.values()) == {"Count", "Milliseconds", "Seconds", "None"}


def test_counting_takes_no_lock_where_one_thread_answers(metrics: Metrics, lines: list[str]) -> None:
    metrics.count("read_fast")
    metrics.observe("latency_ms", 1.0)
    with metrics._lock:  # whoever waited for it here would wait for ever
        metrics.count("read_fast")
        metrics.observe("latency_ms", 2.0)
    metrics.flush()
    assert values_of(json.loads(lines[0])) == {"read_fast": 2, "latency_ms": [1.0, 2.0]}
