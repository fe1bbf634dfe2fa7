"""Verifying a chain: which lines were taken out of it, put in, moved or altered since it was written.

No secret and no release is needed. An open end is normal: environments vanish without a word.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ebb.event_log.reading import RecordedLine
from ebb.events.chain import NOTHING

GAP, FORK, EDIT, REPEAT, ORDER = "gap", "fork", "edit", "repeat", "order"
"""Lines are missing; two have one number; one is not what the next one's hash says; one is there twice; one stands
before its forerunner (which a store that keeps no order does by itself)."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, between two of its numbers (both included).

    Attributes:
        kind: one of the above.
        environment: whose chain.
    """

    kind: str
    environment: str
    first: int
    last: int


def by_environment(lines: Iterable[RecordedLine]) -> Mapping[str, Sequence[RecordedLine]]:
    """Sort lines by their chain; each chain keeps the log's order."""
    chains: dict[str, list[RecordedLine]] = {}
    for line in lines:
        chains.setdefault(line.link.environment, []).append(line)
    return chains


def verify(chain: Sequence[RecordedLine]) -> list[Finding]:
    """Return what is wrong with one environment's lines, given in the log's order; nothing where all is well."""
    numbered: dict[int, list[RecordedLine]] = {}
    for line in chain:
        numbered.setdefault(line.link.sequence, []).append(line)
    found = [*_order(chain), *_doubles(numbered), *_breaks(numbered)]
    return sorted(found, key=lambda finding: (finding.first, finding.kind))


def _order(chain: Sequence[RecordedLine]) -> Iterator[Finding]:
    """Find lines that stand before one with a smaller number."""
    for one, other in pairwise(chain):
        if other.link.sequence < one.link.sequence:
            yield Finding(ORDER, one.link.environment, other.link.sequence, one.link.sequence)


def _doubles(numbered: Mapping[int, Sequence[RecordedLine]]) -> Iterator[Finding]:
    """Find numbers that more than one line has."""
    for number, lines in numbered.items():
        different = len({line.line for line in lines})
        if different < len(lines):
            yield Finding(REPEAT, lines[0].link.environment, number, number)
        if different > 1:
            yield Finding(FORK, lines[0].link.environment, number, number)


def _breaks(numbered: Mapping[int, Sequence[RecordedLine]]) -> Iterator[Finding]:
    """Find numbers that are missing, and events that are not what the next one says."""
    before, hashes = 0, {NOTHING}
    for number in sorted(numbered):
        lines = numbered[number]
        environment = lines[0].link.environment
        if number < 1:
            yield Finding(EDIT, environment, number, number)
            continue
        if number > before + 1:
            yield Finding(GAP, environment, before + 1, number - 1)
        elif not all(line.link.previous in hashes for line in lines):
            yield Finding(EDIT, environment, max(before, 1), number)
        before, hashes = number, {line.link.after(line.line).previous for line in lines}
