"""The fast tier in figures: what one question costs, how long it takes, and what hedging does to slow reads."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import redis

from ebb.errors import Unavailable
from ebb.plans import Plan, Plans
from ebb.ports import FeatureRecord
from ebb.valkey.features import YEAR, ValkeyFeatures
from ebb.valkey.scripts import ASK
from local.servers.valkey import Valkey
from tests.fakes.proxy import proxy_to
from tests.load.figures import Figure
from tests.load.reference_work import echo_slowness

ENTITIES, FEATURES = 1_000, 20
RECORDED_BARE_P99_MS = 0.3
"""On the machine of record, with nothing else running."""

_BATCH, _ROUNDS, _TURNS = 200, 25, 10
_PLANS = Plans(Plan(1e6, 1e6))
_SLOW_SHARE = 0.02
_CROWD = [f"C-{number:07}" for number in range(ENTITIES)]


@dataclass(frozen=True)
class Pair:
    """A primary with records of 20 features, and a replica of it."""

    primary: Valkey
    replica: Valkey


class Hedges:
    """Signals of which only the extra reads are kept."""

    def __init__(self) -> None:
        self.sent = 0

    def count(self, name: str, by: float = 1) -> None:
        """Count an extra read."""
        self.sent += int(by) if name == "hedge_sent" else 0

    def gauge(self, name: str, value: float) -> None:
        """Forget a state."""

    def observe(self, name: str, value: float) -> None:
        """Forget a measurement."""


def valkey_figures(questions: int = 6_000) -> list[Figure]:
    """Measure on servers of their own, started for this."""
    with _pair() as pair:
        return [*_cpu_figures(pair), *_p99_figures(pair, questions), *_hedge_figures(pair, questions)]


def _cpu_figures(pair: Pair) -> list[Figure]:
    fast = ValkeyFeatures("127.0.0.1", pair.primary.port, timeout=1.0, plans=_PLANS)
    with redis.Redis(port=pair.primary.port, single_connection_client=True) as client:
        ours, bare = _interleaved([lambda who: fast.ask(who, "bench"), lambda who: _bare(client, who)])
    many = _cpu_of_many(fast)
    fast.close()
    same = "the same script, GET, PTTL and GET by `redis-py`, process CPU, interleaved in one run"
    return [
        Figure("CPU of a bare pipeline of the fast tier's commands", "us", bare, None, same),
        Figure("CPU of one question to the fast tier", "us", ours, None, "whole, with the record parsed"),
        Figure("fast tier against the bare pipeline", "x", ours / bare, 1.0, "CPU against CPU", tolerated=1.0),
        Figure("CPU of one entity among 1,000 in one question", "us", many, None, "whole, with the records parsed"),
        Figure("an entity among 1,000 against one alone", "x", many / ours, 0.4, "CPU against CPU", tolerated=1.0),
    ]


def _p99_figures(pair: Pair, questions: int) -> list[Figure]:
    fast = ValkeyFeatures("127.0.0.1", pair.primary.port, timeout=1.0, plans=_PLANS)
    ours, bare = [], []
    with redis.Redis(port=pair.primary.port, single_connection_client=True) as client:
        for _ in range(_TURNS):
            ours += _times(lambda who: fast.ask(who, "bench"), questions // _TURNS)
            bare += _times(lambda who: _bare(client, who), questions // _TURNS)
    fast.close()
    how = f"{questions:,} questions, one client, with rate limit and {FEATURES} features"
    beside = _percentile(bare, 0.99)
    slow = beside / RECORDED_BARE_P99_MS
    return [
        Figure("bare pipeline of the same commands, p99", "ms", beside, None, "in turns with the next"),
        Figure("fast tier, p99 of one question", "ms", _percentile(ours, 0.99), 1.0, how, slowness=slow),
    ]


def _hedge_figures(pair: Pair, questions: int) -> list[Figure]:
    how = f"{_SLOW_SHARE:.0%} of reads delayed by 100 ms in a TCP proxy"
    hedges = Hedges()
    with proxy_to(pair.primary.port) as road:
        road.delay(_SLOW_SHARE)
        patient = ValkeyFeatures("127.0.0.1", road.port, timeout=1.0, plans=_PLANS)
        plain = _percentile(_times(lambda who: patient.ask(who, "bench"), questions // 3), 0.99)
        hedged = ValkeyFeatures("127.0.0.1", road.port, replica_port=pair.replica.port, plans=_PLANS, signals=hedges)
        helped: list[bool] = []
        times = _times(lambda who: helped.append(hedged.ask(who, "bench").hedged), questions)
        patient.close()
        hedged.close()
    return [
        Figure("slow reads, p99 without a hedge", "ms", plain, None, f"{how}; no replica, timeout off"),
        Figure("slow reads, p99 with hedges", "ms", _percentile(times, 0.99), 10.0, how, slowness=echo_slowness()),
        Figure("answers by the replica", "%", 100 * sum(helped) / questions, None, f"{how}; all of an open breaker"),
        Figure("extra reads of hedging", "%", 100 * hedges.sent / questions, 5.0, how, tolerated=1.0),
    ]


def _interleaved(calls: list[Callable[[str], Any]]) -> list[float]:
    """Return the median CPU microseconds of each call, taken in turns so that noise meets all alike."""
    crowd = cycle(_CROWD)
    spent: list[list[float]] = [[] for _ in calls]
    for number in range(_ROUNDS + 2):
        for call, times in zip(calls, spent, strict=True):
            began = time.process_time()
            for _ in range(_BATCH):
                call(next(crowd))
            if number >= 2:  # the first ones warm up
                times.append((time.process_time() - began) / _BATCH * 1e6)
    return [median(times) for times in spent]


def _cpu_of_many(fast: ValkeyFeatures) -> float:
    """Return the median CPU microseconds of one entity, where everybody is asked for at once."""
    times = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        fast.ask_many(_CROWD, "bench")
        times.append((time.process_time() - began) / len(_CROWD) * 1e6)
    return median(times)


def _bare(client: redis.Redis, who: str) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    life = f"{YEAR * 1000:.0f}"
    keys = ("rl:bench", "quota:bench", f"f:{who}", "hot")
    pipeline.evalsha(ASK.sha, len(keys), *keys, 1, "1.000", "1000000.000", -1, life, life, who)
    pipeline.get(f"f:{who}")
    pipeline.pttl(f"f:{who}")
    pipeline.get("routing:version")
    return list(pipeline.execute())


def _times(call: Callable[[str], Any], questions: int) -> list[float]:
    """Return the milliseconds of each question; one without an answer has its time too."""
    times = []
    for who in islice(cycle(_CROWD), questions):
        began = time.perf_counter()
        with suppress(Unavailable):
            call(who)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)]


@contextmanager
def _pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ebb-valkey-")))
        primary = Valkey.start(folder / "primary")
        stack.callback(primary.stop)
        _fill(primary)
        replica = Valkey.start(folder / "replica", replica_of=primary.port)
        stack.callback(replica.stop)
        yield Pair(primary, replica)


def _fill(server: Valkey) -> None:
    fast = ValkeyFeatures("127.0.0.1", server.port)
    names = [f"feature_{number}" for number in range(FEATURES)]
    for number, who in enumerate(_CROWD):
        values = {name: 0.1 * (number + place) for place, name in enumerate(names)}
        fast.put({who: FeatureRecord(values, dict.fromkeys(names, 1.75e9), 1, f"{number:032x}")})
    fast.close()
