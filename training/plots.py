"""Line plots as inline SVG: no script, no font, no request; colours come from the page, light or dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 360, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
_TICKS = 4


@dataclass(frozen=True)
class Axis:
    """One axis: its title, its span, and how its ticks are written."""

    title: str
    low: float
    high: float
    tick: str = "{:g}"

    def share(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the values lie between low (0) and high (1)."""
        span = self.high - self.low or 1.0
        share: NDArray[np.float64] = np.clip((values - self.low) / span, 0, 1)
        return share


@dataclass(frozen=True)
class Line:
    """One line: points x, y [K]; `style` is a class of the page: `main`, `plain` or `mark`; dots where asked."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: str = "main"
    dots: bool = False


def round_axis(title: str, low: float, high: float) -> Axis:
    """Return an axis over at least low to high whose ticks are round numbers."""
    span = max(high - low, 1e-9) / _TICKS
    power = 10.0 ** np.floor(np.log10(span))
    steps = [factor * power for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20)]
    fits = (step for step in steps if np.floor(low / step) * step + _TICKS * step >= high)
    step = float(next(fits, steps[-1]))
    start = float(np.floor(low / step) * step)
    return Axis(title, start, start + _TICKS * step)


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Line], bars: NDArray[np.float64] | None = None) -> str:
    """Return one plot as an SVG element.

    Args:
        title: read aloud by screen readers.
        x: the horizontal axis.
        y: the vertical axis.
        lines: drawn in this order.
        bars: shares 0 to 1 drawn faintly from the bottom in bins of equal width; None for none.
    """
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    if bars is not None:
        parts.extend(_bars(bars))
    parts.extend(_axes(x, y))
    parts.extend(_line(line, x, y) for line in lines)
    parts.append("</svg>")
    return "".join(parts)


def _across(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _up(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _axes(x: Axis, y: Axis) -> list[str]:
    parts = []
    for i in range(_TICKS + 1):
        share = i / _TICKS
        across, up = _across(share), _up(share)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up:.1f}" y2="{up:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{up + 4:.1f}" text-anchor="end">{_tick(y, share)}</text>')
        anchor = "end" if i == _TICKS else "middle"
        below = _HEIGHT - _BOTTOM + 16
        parts.append(f'<text x="{across:.1f}" y="{below}" text-anchor="{anchor}">{_tick(x, share)}</text>')
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(f'<text x="{_across(0.5):.0f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x.title)}</text>')
    turned = f'transform="rotate(-90 12 {middle:.0f})" text-anchor="middle"'
    parts.append(f'<text x="12" y="{middle:.0f}" {turned}>{escape(y.title)}</text>')
    return parts


def _tick(axis: Axis, share: float) -> str:
    return escape(axis.tick.format(axis.low + share * (axis.high - axis.low)))


def _line(line: Line, x: Axis, y: Axis) -> str:
    across = [_across(float(s)) for s in x.share(line.x)]
    up = [_up(float(s)) for s in y.share(line.y)]
    points = " ".join(f"{a:.1f},{u:.1f}" for a, u in zip(across, up, strict=True))
    drawn = f'<polyline class="{line.style}" points="{points}"/>'
    if line.dots:
        drawn += "".join(f'<circle cx="{a:.1f}" cy="{u:.1f}" r="3"/>' for a, u in zip(across, up, strict=True))
    return drawn


def _bars(bars: NDArray[np.float64]) -> list[str]:
    width = (_WIDTH - _LEFT - _RIGHT) / len(bars)
    bottom = _up(0)
    return [
        f'<rect class="bar" x="{_LEFT + i * width + 1:.1f}" y="{_up(float(share)):.1f}" '
        f'width="{width - 2:.1f}" height="{bottom - _up(float(share)):.1f}"/>'
        for i, share in enumerate(bars)
    ]
