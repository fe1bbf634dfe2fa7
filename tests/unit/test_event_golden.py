"""The shape of a prediction event cannot change unseen: what auditors keep for years must stay readable.

A deliberate change gets a new `SCHEMA`, and this file anew: `python -m tests.unit.test_event_golden`.
"""

import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import DataError
from ebb.event_log.opening import unseal
from ebb.event_log.reading import RecordedLine, read_lines
from ebb.event_log.recorder import EventLog
from ebb.event_log.sealing import BY_NONE, Sealer
from ebb.event_log.verify import by_environment, verify
from ebb.events.chain import Chain
from ebb.events.event import PredictionEvent, ShadowScore
from tests.fakes.contracts import ROW
from tests.fakes.event_layouts import layout_of, placed_event
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import ENVIRONMENT, SALT, SECRET, events_of, lines_of, made_event, same
from tests.home import ROOT

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN, FIRST = FOLDER / "prediction_event.json", FOLDER / "prediction_event_1.json"
PAGE = ROOT / "docs" / "prediction-events.md"

NAMED: list[PredictionEvent] = [
    made_event(),
    made_event(
        id="b2c3d4e5f6a7b8c9d0e1f2a3",
        variant="cheap",
        escalated=True,
        hedged=True,
        inputs={"tenure": float("nan"), "spend": 0.1, "plan": "", "city": "Łódź"},
        reasons=[("tenure", -0.25), ("city", 0.0625)],
        shadow=ShadowScore("7f" * 32, None, 5.0),
    ),
    made_event(
        id="c3d4e5f6a7b8c9d0e1f2a3b4",
        salt="",
        release=None,
        rules="1a2b3c4d5e6f",
        variant="rules",
        routing=0,
        tier="none",
        degraded=["plan is missing"],
        ages={},
    ),
]
"""What the first version's golden lines were made of."""

CALLS: list[list[PredictionEvent]] = [
    [placed_event()],
    [placed_event(id=f"{row:024x}", inputs={**ROW, "tenure": row, "city": "Łódź" * row}) for row in range(3)],
    *([event] for event in NAMED),
]


def _made() -> list[str]:
    """Record the calls with bytes that count up where they would be random."""
    sink, drawn = MemoryEvents(), itertools.count(1)
    sealer = Sealer(SECRET, lambda length: bytes([next(drawn)]) * length)
    log = EventLog(sink, sealer, Chain(ENVIRONMENT))
    for call in CALLS:
        log.record(call)
    return [line.decode() for line in sink.lines]


def _golden(path: Path = GOLDEN) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    return document


def _opened(path: Path) -> list[PredictionEvent]:
    """Verify the lines of a golden file, and open those of its events that can be opened."""
    golden = _golden(path)
    log = "\n".join(golden["lines"]).encode()
    assert verify(lines_of(log)) == []
    readable = [event for event in events_of(log) if event.by != BY_NONE]
    return [unseal(event, bytes.fromhex(golden["secret"]), golden["salt"], layout_of) for event in readable]


def test_the_lines_are_the_golden_ones_byte_for_byte() -> None:
    assert _golden() == {"secret": SECRET.hex(), "salt": SALT, "lines": _made()}


def test_golden_lines_are_read_verified_and_opened() -> None:
    events = [event for call in CALLS for event in call if event.salt]
    assert all(same(one, event) for one, event in zip(_opened(GOLDEN), events, strict=True))


def test_lines_of_the_first_version_are_read_verified_and_opened_as_ever() -> None:
    assert all(same(one, event) for one, event in zip(_opened(FIRST), NAMED[:2], strict=True))
    unopened = events_of(_golden(FIRST)["lines"][2].encode())[0]
    assert (unopened.by, unopened.open["rules"], unopened.open["problems"]) == (BY_NONE, "1a2b3c4d5e6f", 1)


def test_one_log_may_hold_lines_of_both_versions() -> None:
    """While code shifts, environments of both write; each has a chain of its own."""
    both = [*_golden(FIRST)["lines"], *(line.replace(ENVIRONMENT, "f" * 16) for line in _golden()["lines"])]
    chains = by_environment(lines_of("\n".join(both).encode()))
    versions = {name: {event.open["v"] for line in chain for event in line.events} for name, chain in chains.items()}
    assert versions == {ENVIRONMENT: {1}, "f" * 16: {2}}
    assert verify(chains[ENVIRONMENT]) == []


@given(st.sampled_from(_golden(FIRST)["lines"][:2]), st.data())
def test_any_altered_byte_of_a_first_version_s_line_keeps_it_shut(text: str, data: st.DataObject) -> None:
    line = text.encode()
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    for read in read_lines(line[:at] + bytes([other]) + line[at + 1 :]):
        for event in read.events if isinstance(read, RecordedLine) else ():
            with pytest.raises(DataError):
                unseal(event, SECRET, SALT, layout_of)


def test_the_page_shows_the_first_golden_line_and_names_every_field() -> None:
    page = PAGE.read_text()
    shown = orjson.loads(page.partition("```json\n")[2].partition("```")[0])
    line = orjson.loads(_made()[0])
    line["sealed"]["texts"] = shown["sealed"]["texts"] = [text[:16] for text in line["sealed"]["texts"]]
    assert shown == line
    assert [name for name in line if f"`{name}`" not in page] == []


if __name__ == "__main__":
    document = {"secret": SECRET.hex(), "salt": SALT, "lines": _made()}
    GOLDEN.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
