"""Bounds of rounded values: every value is on the side on which it lies when it is rounded first."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebb.features.values import FLOAT32_MAX
from training.validation.profile_bounds import last_micros, least_reaching

NARROW = st.floats(width=32, allow_nan=False)
WIDE = st.floats(allow_nan=False)
BEYOND = float(2**128)


def as_rounded(value: float) -> float:
    """Round to float32; what would become infinite stays what it is."""
    with np.errstate(over="ignore"):
        narrow = float(np.float32(value))
    return value if math.isinf(narrow) else narrow


@st.composite
def beside(draw: st.DrawFn) -> tuple[float, float]:
    """Draw an edge, and a value a few float64 from it or from half way to the float32 below."""
    edge = draw(NARROW.filter(math.isfinite))
    with np.errstate(over="ignore"):
        below = float(np.nextafter(np.float32(edge), np.float32(-math.inf)))
    value = draw(st.sampled_from([edge, edge if math.isinf(below) else (edge + below) / 2]))
    for _ in range(draw(st.integers(0, 3))):
        value = float(np.nextafter(value, draw(st.sampled_from([-math.inf, math.inf]))))
    return edge, value


@settings(deadline=None)
@given(beside())
def test_a_value_beside_an_edge_is_on_the_side_of_its_rounding(drawn: tuple[float, float]) -> None:
    edge, value = drawn
    assert (value >= least_reaching(edge)) == (as_rounded(value) >= edge)


@settings(deadline=None)
@given(WIDE, WIDE)
@example(0.1, 0.1)
@example(-0.0, 0.0)
@example(math.inf, FLOAT32_MAX)
@example(-math.inf, -1e300)
@example(-FLOAT32_MAX, -(BEYOND - 2.0**103))
@example(-FLOAT32_MAX, float(np.nextafter(-(BEYOND - 2.0**103), 0)))
@example(FLOAT32_MAX, float(np.nextafter(BEYOND - 2.0**103, 0)))
@example(1e300, 1e300)
def test_any_value_is_on_the_side_of_its_rounding(edge: float, value: float) -> None:
    if FLOAT32_MAX < abs(edge) < BEYOND:
        return  # no reference has an edge between float32 and infinity
    assert (value >= least_reaching(edge)) == (as_rounded(value) >= edge)


@settings(deadline=None)
@given(st.floats(-1e10, 1e10), st.integers(-3, 3))
@example(1_700_000_000.0, 0)
@example(1_700_000_000.123457, 1)
@example(0.0, 0)
def test_a_moment_is_late_by_its_microseconds_where_it_is_by_its_seconds(most: float, away: int) -> None:
    last = last_micros(most)
    assert last / 1e6 <= most < (last + 1) / 1e6
    micros = math.floor(most * 1e6) + away
    assert (micros > last) == (micros / 1e6 > most)


@pytest.mark.parametrize(("most", "last"), [(0.0, 0), (1.5, 1_500_000), (-0.000001, -1), (1e-7, 0), (-1e-7, -1)])
def test_the_last_microsecond_is_the_one_before_or_at_the_bound(most: float, last: int) -> None:
    assert last_micros(most) == last
