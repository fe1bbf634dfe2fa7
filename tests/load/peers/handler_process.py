"""The prediction handler alone in a process of its own, with its real servers: prints nothing, writes what it spent.

Run as `python -m tests.load.peers.handler_process RESULT` with the environment of the function; an `Order` comes as
JSON on standard input. Standard output is the log sink's, so the result goes to a file.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from tests.fakes.events import event
from tests.load.peers.process_cpu import resident_mb

PREDICT, BATCH = "POST /v1/predictions", "POST /v1/predictions/batch"
_OK, _NOT_FOUND = 200, 404
_PAYLOAD = b"x" * 1_500


@dataclass(frozen=True)
class Order:
    """What is to be measured.

    Attributes:
        entities: who is scored, in turns.
        calls: of the handler, each round.
        rounds: each measures the handler, the reference work and the batch, in turns.
        batch: entities of one batch; 0 measures none.
    """

    entities: Sequence[str]
    calls: int
    rounds: int
    batch: int = 0


@dataclass(frozen=True)
class Spent:
    """CPU of this process (user and system), microseconds, one figure a round.

    Attributes:
        handler: a prediction.
        reference: a bare pipeline of two commands by redis-py and a walk through an answer's worth of JSON.
        batch_row: a row of a batch; empty where there is no batch route.
        packed_row: a row of a batch whose caller takes gzip.
        resident_mb: memory in the end, MB of 1024 kB.
    """

    handler: list[float]
    reference: list[float]
    batch_row: list[float]
    packed_row: list[float]
    resident_mb: float


class Context:
    """What the runtime client hands a function beside the event."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "predict"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:predict"
    memory_limit_in_mb = "512"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return enough."""
        return 10_000


def main(result: str) -> None:
    """Do what the module says."""
    order = Order(**json.loads(sys.stdin.read()))
    import awslambdaric.bootstrap  # noqa: F401, PLC0415 - an environment holds it too

    from lambdas.predict.handler import handle  # noqa: PLC0415 - it starts with its import

    context = Context()
    singles = [event(PREDICT, json.dumps({"entity_id": who}).encode()) for who in order.entities]
    body = json.dumps({"entities": [{"entity_id": who} for who in order.entities[: order.batch]]}).encode()
    batch, packed = event(BATCH, body), event(BATCH, body, headers={"accept-encoding": "gzip, deflate"})
    turn = 0

    def one() -> None:
        nonlocal turn
        turn += 1
        _expect(handle(singles[turn % len(singles)], context))

    def many() -> None:
        _expect(handle(batch, context), order.batch)

    def many_packed() -> None:
        if not handle(packed, context)["isBase64Encoded"]:
            raise RuntimeError("the handler did not compress a large answer")

    reference = _reference()
    with_batch = bool(order.batch) and handle(batch, context)["statusCode"] != _NOT_FOUND
    for _ in range(max(200, order.calls // 5)):
        one()
    spent = Spent([], [], [], [], 0.0)
    for _ in range(order.rounds):
        spent.handler.append(_cpu_us(one, order.calls))
        spent.reference.append(_cpu_us(reference, order.calls))
        if with_batch:
            many()
            spent.batch_row.append(_cpu_us(many, 3) / order.batch)
            spent.packed_row.append(_cpu_us(many_packed, 3) / order.batch)
    Path(result).write_text(json.dumps({**asdict(spent), "resident_mb": resident_mb(os.getpid())}))


def _cpu_us(work: Callable[[], None], calls: int) -> float:
    start = time.process_time_ns()
    for _ in range(calls):
        work()
    return (time.process_time_ns() - start) / calls / 1e3


def _reference() -> Callable[[], None]:
    """Return work of about the same kind that has nothing to do with Ebb: is this machine slow right now?"""
    client = redis.Redis(port=int(os.environ["EBB_VALKEY_PORT"]), single_connection_client=True)
    document = {f"name_{i:02d}": [i * 0.37, f"text {i}"] for i in range(30)}

    def work() -> None:
        pipeline = client.pipeline(transaction=False)
        pipeline.ping()
        pipeline.echo(_PAYLOAD)
        pipeline.execute()
        json.loads(json.dumps(document))

    return work


def _expect(answer: dict[str, Any], scored: int = 1) -> None:
    if answer["statusCode"] != _OK or answer["body"].count('"probability"') != scored:
        raise RuntimeError(f"the handler answered {answer['statusCode']}: {answer['body'][:500]}")


if __name__ == "__main__":
    main(sys.argv[1])
