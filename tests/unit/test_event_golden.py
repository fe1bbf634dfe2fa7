"""The shape of a prediction event cannot change unseen: what auditors keep for years must stay readable.

A deliberate change gets a new `SCHEMA`, and this file anew: `python -m tests.unit.test_event_golden`.
"""

import itertools
from pathlib import Path
from typing import Any

import orjson

from ebb.event_log.reading import unseal
from ebb.event_log.recorder import EventLog
from ebb.event_log.sealing import Sealer
from ebb.event_log.verify import verify
from ebb.events.chain import Chain
from ebb.events.event import PredictionEvent, ShadowScore
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.prediction_events import ENVIRONMENT, SALT, SECRET, events_of, made_event, same
from tests.home import ROOT

GOLDEN = Path(__file__).parents[1] / "golden" / "prediction_event.json"
PAGE = ROOT / "docs" / "prediction-events.md"

EVENTS: list[PredictionEvent] = [
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


def _made() -> list[str]:
    """Record the events with bytes that count up where they would be random."""
    sink, drawn = MemoryEvents(), itertools.count(1)
    sealer = Sealer(SECRET, lambda length: bytes([next(drawn)]) * length)
    EventLog(sink, sealer, Chain(ENVIRONMENT)).record(EVENTS)
    return [line.decode() for line in sink.lines]


def _golden() -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(GOLDEN.read_bytes())
    return document


def test_the_lines_are_the_golden_ones_byte_for_byte() -> None:
    assert _golden() == {"secret": SECRET.hex(), "salt": SALT, "lines": _made()}


def test_golden_lines_are_read_verified_and_opened() -> None:
    golden = _golden()
    read = events_of("\n".join(golden["lines"]).encode())
    assert verify(read) == []
    opened = [unseal(event, bytes.fromhex(golden["secret"]), golden["salt"]) for event in read[:2]]
    assert all(same(one, event) for one, event in zip(opened, EVENTS, strict=False))


def test_the_page_shows_the_first_golden_line_and_names_every_field() -> None:
    page = PAGE.read_text()
    shown = orjson.loads(page.partition("```json\n")[2].partition("```")[0])
    line = orjson.loads(_made()[0])
    line["sealed"]["text"] = shown["sealed"]["text"] = line["sealed"]["text"][:16]
    assert shown == line
    assert [name for name in line if f"`{name}`" not in page] == []


if __name__ == "__main__":
    document = {"secret": SECRET.hex(), "salt": SALT, "lines": _made()}
    GOLDEN.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
