"""Prediction events whose values stand by their places: of the small contract with every kind of feature."""

from typing import Any

from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.events.event import PredictionEvent
from ebb.events.layout import Layout
from ebb.features.values import FLOAT32_MAX
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.prediction_events import made_event

LAYOUT = Layout(tiny_contract())
RELEASE = "5e" * 32

_NUMBERS = st.floats(-FLOAT32_MAX, FLOAT32_MAX) | st.just(float("nan")) | st.integers(-(2**53), 2**53) | st.booleans()

any_row: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {
        "tenure": _NUMBERS,
        "spend": _NUMBERS,
        "paperless": _NUMBERS,
        "plan": st.sampled_from(["", "basic", "plus"]),
        "city": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    }
)


def placed_event(**changes: Any) -> PredictionEvent:
    """Return an event of the usual kind: every value stored, all as old as each other."""
    usual: dict[str, Any] = {
        "inputs": {**ROW, "city": ""},
        "ages": 86.5,
        "requested": [],
        "stale": [],
        "decision": "act",
        "layout": LAYOUT,
    }
    return made_event(**{**usual, **changes})


def layout_of(release: str) -> Layout | None:
    """Return the places of the one release there is."""
    return LAYOUT if release == RELEASE else None
