"""What is sealed: values by their places come back as they were, tell nothing by their length, and need their names."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import parse_contract
from ebb.contract.model import Value
from ebb.errors import DataError
from ebb.event_log.content import BLOCK, FREE_BLOCK, content
from ebb.event_log.opening import unseal
from ebb.events.event import PredictionEvent, ShadowScore
from ebb.events.layout import POSITIONAL, Layout
from tests.fakes.contracts import ROW, TEXT, tiny_contract
from tests.fakes.event_layouts import LAYOUT, RELEASE, any_row, layout_of, placed_event
from tests.fakes.event_sink import MemoryEvents
from tests.fakes.made_contracts import contract_of
from tests.fakes.prediction_events import SALT, SECRET, event_log, events_of, made_event, same


def _read(event: PredictionEvent) -> PredictionEvent:
    sink = MemoryEvents()
    event_log(sink).record([event])
    return unseal(events_of(sink.log)[0], SECRET, event.salt, layout_of)


@given(
    inputs=any_row,
    ages=st.floats(0, allow_infinity=False) | st.dictionaries(st.sampled_from(list(ROW)), st.floats(0, 1e9)),
    entity_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256),
    decision=st.sampled_from(["act", "hold"]),
    reasons=st.none() | st.lists(st.tuples(st.sampled_from(list(ROW)), st.floats(-1, 1))),
    shadow=st.none() | st.builds(ShadowScore, st.just("7f" * 32), st.none() | st.floats(0, 1), st.floats(0, 9)),
    stale=st.lists(st.sampled_from(list(ROW))),
)
def test_what_stands_by_its_place_is_read_back_bit_for_bit_as_the_model_saw_it(**changes: Any) -> None:
    event = placed_event(**changes)
    assert content(event)[0] == POSITIONAL
    read = _read(event)
    for name in LAYOUT.numbers:
        assert np.float32(read.inputs[name]).tobytes() == np.float32(event.inputs[name]).tobytes()
    assert same(replace(read, inputs={**read.inputs, **{n: event.inputs[n] for n in LAYOUT.numbers}}), event)


@given(st.integers(-999_999, 999_999), st.integers(0, 6))
def test_a_number_of_six_digits_comes_back_as_it_was(digits: int, places: int) -> None:
    value = float(f"{digits}e-{places}")
    assert _read(placed_event(inputs={**ROW, "spend": value})).inputs["spend"] == value


def test_a_usual_content_has_no_name_in_it() -> None:
    text = content(placed_event(inputs={**ROW, "city": "Ghent"}))
    assert not any(name.encode() in text for name in (*ROW, "basic"))
    assert b"Ghent\0\0" in text
    assert b'{"texts":{"plan":"other"}}' in content(placed_event(inputs={**ROW, "plan": "other"}))


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_number_that_is_missing_comes_back_missing(value: Value) -> None:
    read = _read(placed_event(inputs={**ROW, "spend": value}))
    assert isinstance(read.inputs["spend"], float)
    assert math.isnan(read.inputs["spend"])


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ["plan", "city"])
def test_a_category_that_is_missing_comes_back_empty(name: str, value: Value) -> None:
    assert _read(placed_event(inputs={**ROW, name: value})).inputs[name] == ""


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40), min_size=3, max_size=3))
def test_several_free_texts_are_told_apart(texts: list[str]) -> None:
    names = ["one", "two", "three"]
    layout = Layout(contract_of(*(f'name = "{name}"; kind = "category"' for name in names)))
    event = placed_event(inputs=dict(zip(names, texts, strict=True)), layout=layout)
    sink = MemoryEvents()
    event_log(sink).record([event])
    assert content(event)[0] == POSITIONAL
    assert unseal(events_of(sink.log)[0], SECRET, SALT, lambda _: layout).inputs == event.inputs


@given(
    st.lists(any_row.map(lambda row: {**row, "city": str(row["city"])[:8]}), min_size=2, max_size=2), st.floats(0, 1)
)
def test_of_ids_of_one_length_every_content_has_one_length(rows: list[dict[str, Value]], probability: float) -> None:
    """Numbers, known categories, cities and decisions take the same room, whatever they say."""
    one = content(placed_event(inputs=rows[0], decision="act", probability=probability))
    other = content(placed_event(inputs=rows[1], decision="hold", ages=1.0))
    assert len(one) == len(other)


@given(st.integers(1, 250), st.text("äx", max_size=300))
def test_lengths_come_in_blocks_and_in_large_ones_where_anything_has_a_name(length: int, city: str) -> None:
    assert len(content(placed_event(entity_id="x" * length, inputs={**ROW, "city": city}))) % BLOCK == 0
    assert len(content(placed_event(inputs={**ROW, "plan": city + "other"}))) % FREE_BLOCK == 0
    assert len(content(placed_event(stale=["spend"]))) % FREE_BLOCK == 0
    assert len(content(made_event(entity_id="x" * length))) % FREE_BLOCK == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": {name: ROW[name] for name in ROW if name != "tenure"}},
        {"inputs": {**{name: ROW[name] for name in ROW if name != "tenure"}, "other": 1.0}},
        {"inputs": {**ROW, "tenure": "five"}},
        {"inputs": {**ROW, "city": 5}},
        {"inputs": {**ROW, "plan": 5}},
        {"inputs": {**ROW, "city": "Gh\0ent"}},
        {"decision": "contact"},
        {"layout": None},
    ],
)
def test_what_no_place_is_made_for_stands_by_its_name(changes: dict[str, Any]) -> None:
    event = placed_event(**changes)
    text = content(event)
    assert text[:1] == b"{"
    assert same(_read(event), event)


def test_without_the_contract_an_event_says_which_release_has_its_names() -> None:
    sink = MemoryEvents()
    event_log(sink).record([placed_event()])
    with pytest.raises(DataError, match=f"without names: the contract of release {RELEASE} has them"):
        unseal(events_of(sink.log)[0], SECRET, SALT)
    event_log(sink).record([placed_event(release=None)])
    with pytest.raises(DataError, match="without names"):
        unseal(events_of(sink.lines[1])[0], SECRET, SALT, layout_of)


OTHERS = {
    "renamed": TEXT.replace('name = "spend"', 'name = "spent"'),
    "listed otherwise": TEXT.replace('["basic", "plus"]', '["plus", "basic"]'),
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_values_are_never_read_with_another_contract_s_names(text: str) -> None:
    other = Layout(parse_contract(text, "other.toml"))
    sink = MemoryEvents()
    event_log(sink).record([placed_event()])
    with pytest.raises(DataError, match=f"release {RELEASE} has another contract than was given"):
        unseal(events_of(sink.log)[0], SECRET, SALT, lambda _: other)


def test_a_layout_says_where_everything_stands() -> None:
    assert (LAYOUT.numbers, LAYOUT.categories, LAYOUT.free) == (("tenure", "spend", "paperless"), ("plan",), ("city",))
    assert len(LAYOUT) == 5
    assert LAYOUT.fingerprint == Layout(tiny_contract()).fingerprint
    assert LAYOUT.codes[0] == {None: 0, "": 0, "basic": 1, "plus": 2}


def test_more_categories_than_a_byte_counts_stand_as_texts() -> None:
    texts = [f"t{number}" for number in range(300)]
    listed = ", ".join(f'"{text}"' for text in texts)
    layout = Layout(parse_contract(TEXT.replace('["basic", "plus"]', f'["basic", {listed}]'), "wide.toml"))
    for plan in ("basic", "t0", "t252", "t253", "t254", "t299"):
        event = replace(placed_event(inputs={**ROW, "plan": plan}), layout=layout)
        sink = MemoryEvents()
        event_log(sink).record([event])
        read = unseal(events_of(sink.log)[0], SECRET, SALT, lambda _: layout)
        assert read.inputs["plan"] == plan
