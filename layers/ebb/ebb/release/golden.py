"""Golden examples: raw inputs with the exact answers of the graph, checked before a release serves."""

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ebb.contract.model import Contract, Value
from ebb.errors import ReleaseError
from ebb.features.inputs import accept_row, encode
from ebb.ports import Scorer

ELSEWHERE = 1e-6
"""Allowed difference on another instruction set than the one the answers were computed on."""

_AT_ONCE = 20
"""Examples that are prepared without a pause: half a millisecond."""


@dataclass(frozen=True)
class GoldenExample:
    """One raw input and its answer.

    Attributes:
        why: what it shows, such as `missing`, `unseen`, `boundary`.
        features: raw values by name.
        probability: the graph's float32 answer, written exactly.
    """

    why: str
    features: Mapping[str, Value]
    probability: float


def golden_to_bytes(examples: Sequence[GoldenExample]) -> bytes:
    """Return one JSON object a line."""
    return "".join(json.dumps(e.__dict__, ensure_ascii=False) + "\n" for e in examples).encode()


def golden_from_bytes(content: bytes) -> list[GoldenExample]:
    """Read what `golden_to_bytes` wrote.

    Raises:
        ReleaseError: it is not what Ebb writes.
    """
    try:
        return [GoldenExample(**json.loads(line)) for line in content.decode().splitlines()]
    except (ValueError, TypeError, RecursionError):
        raise ReleaseError("the golden examples cannot be read: they are not what Ebb writes") from None


def check_golden(
    contract: Contract,
    scorer: Scorer,
    examples: Sequence[GoldenExample],
    made_on: str,
    pause: Callable[[], None] = lambda: None,
) -> None:
    """Score every golden example and compare with its recorded answer.

    Args:
        contract: the release's.
        scorer: the release's graph.
        examples: what was recorded.
        made_on: the instruction set of the recording; on the same one the bits must be equal.
        pause: called now and then.

    Raises:
        ReleaseError: there is none, or an answer differs.
    """
    if not examples:
        raise ReleaseError("this release has no golden examples, so it cannot be checked: train again")
    try:
        rows = []
        for start in range(0, len(examples), _AT_ONCE):
            rows += [accept_row(contract, e.features) for e in examples[start : start + _AT_ONCE]]
            pause()
        answers = scorer.score(encode(contract, rows))
        expected = np.array([e.probability for e in examples], np.float32)
    except Exception as error:  # noqa: BLE001 - whatever a graph or a row that fits no other raises
        raise ReleaseError(
            f"the golden examples of this release cannot be scored ({type(error).__name__}): train again"
        ) from None
    allowed = 0.0 if made_on == instruction_set() else ELSEWHERE
    wrong = np.flatnonzero(~(np.abs(answers - expected) <= allowed))
    if len(wrong):
        first = examples[wrong[0]]
        raise ReleaseError(
            f"{len(wrong)} of {len(examples)} golden examples of this release are answered differently here "
            f"(the first is {first.why!r}: {answers[wrong[0]]!s} instead of {expected[wrong[0]]!s}); do not serve it"
        )


@lru_cache(maxsize=1)
def instruction_set() -> str:
    """Name what decides the last bits of float arithmetic: the machine and its widest vector extension."""
    flags = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    widest = next((f for f in ("avx512f", "avx2", "avx", "sve", "asimd") if f" {f}" in flags), "generic")
    return f"{platform.machine()}+{widest}"
