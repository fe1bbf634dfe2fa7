"""Predictions over HTTP while the primary Valkey is stopped (SIGSTOP) under load: failures, and how long they take."""

import http.client
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import Event

import pyarrow.parquet

from tests.home import Home
from tests.load.figures import Figure

STOPPED_SECONDS = 10.0
_BEFORE_SECONDS = 2.0
_CLIENTS = 2


@dataclass(frozen=True)
class Prediction:
    """One answer: when it was asked for, how long it took, whether it was a score of the model, and from which tier."""

    began: float
    seconds: float
    scored: bool
    tier: str


def stopped_valkey_figures(home: Home, seconds: float = STOPPED_SECONDS) -> list[Figure]:
    """Stop the primary of a prepared home's cloud, once with a replica and once without; load goes on."""
    figures = []
    for replica in (True, False):
        options = ["--replica"] if replica else []
        home.ok("up", "--data", "data/customers.parquet", "--port", "0", "--detach", *options)
        try:
            before, during = _under_load(home, seconds)
        finally:
            home.ok("down")
        which = "with a replica" if replica else "without a replica"
        how = f"{_CLIENTS} clients over HTTP, {len(during):,} predictions within {seconds:g} s of SIGSTOP, {which}"
        failed = sum(not answer.scored for answer in during)
        figures += [
            Figure(f"failed predictions while Valkey is stopped, {which}", "", failed, 0, how),
            Figure(f"p99 while Valkey is stopped, {which}", "ms", _p99(during), 50, how),
            Figure(f"p99 before, {which}", "ms", _p99(before), None, how),
        ]
    return figures


def _under_load(home: Home, seconds: float) -> tuple[list[Prediction], list[Prediction]]:
    """Return the predictions asked for before and while the primary was stopped."""
    stop, primary = Event(), home.state.children["valkey"].pid
    tokens = [home.ok("token", "--client", f"load-{number}").strip() for number in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(_ask, home, number, token, stop) for number, token in enumerate(tokens)]
        try:
            time.sleep(_BEFORE_SECONDS)
            os.kill(primary, signal.SIGSTOP)
            stopped = time.perf_counter()
            time.sleep(seconds)
        finally:
            ended = time.perf_counter()
            os.kill(primary, signal.SIGCONT)
            time.sleep(1.0)
            stop.set()
        answers = [answer for client in clients for answer in client.result()]
    before = [a for a in answers if a.began < stopped - a.seconds]
    return before, [a for a in answers if stopped <= a.began < ended]


def _ask(home: Home, number: int, token: str, stop: Event) -> list[Prediction]:
    ids = pyarrow.parquet.read_table(home.folder / "data/customers.parquet")[0].to_pylist()
    connection = http.client.HTTPConnection("127.0.0.1", home.state.ports.gateway, timeout=10)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    answers = []
    for turn in count(number):
        if stop.is_set():
            break
        body = json.dumps({"entity_id": ids[turn * 7 % len(ids)]})
        began = time.perf_counter()
        connection.request("POST", "/v1/predictions", body, headers)
        response = connection.getresponse()
        document = json.loads(response.read())
        seconds = time.perf_counter() - began
        scored = response.status == http.client.OK and not document["degraded"]
        answers.append(Prediction(began, seconds, scored, document.get("features", {}).get("tier", "")))
    connection.close()
    return answers


def _p99(answers: list[Prediction]) -> float:
    ordered = sorted(answer.seconds for answer in answers)
    return ordered[len(ordered) * 99 // 100] * 1e3 if ordered else 0.0
