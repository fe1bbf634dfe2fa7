"""Plots as inline SVG: no script, no font, no request; colours come from the page, light or dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from training.card.axis import TICKS, Axis

_WIDTH, _HEIGHT = 350, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 30, 46
_LEAST_ROOM = 0.5


@dataclass(frozen=True)
class Line:
    """One line through points x, y [K]; `style` is a class of the page: `main`, `plain`, `rival` or `mark`."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: str = "main"

    def svg(self, frame: "Frame") -> str:
        """Return its element."""
        return f'<polyline class="{self.style}" points="{frame.points(self.x, self.y)}"/>'


@dataclass(frozen=True)
class Band:
    """The room between low and high [K] at each x [K]; empty where no interval is known."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    style: str = "band"

    def svg(self, frame: "Frame") -> str:
        """Return its element."""
        if not len(self.low):
            return ""
        around = np.concatenate([self.x, self.x[::-1]]), np.concatenate([self.low, self.high[::-1]])
        return f'<polygon class="{self.style}" points="{frame.points(*around)}"/>'


@dataclass(frozen=True)
class Dots:
    """One dot at each point x, y [K]."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: str = "dot"
    radius: float = 3.5

    def svg(self, frame: "Frame") -> str:
        """Return its elements."""
        at = (point.split(",") for point in frame.points(self.x, self.y).split())
        return "".join(f'<circle class="{self.style}" cx="{a}" cy="{u}" r="{self.radius}"/>' for a, u in at)


@dataclass(frozen=True)
class Whiskers:
    """An upright line from low to high at each x [K]; NaN is left out."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def svg(self, frame: "Frame") -> str:
        """Return its elements."""
        ends = zip(self.x.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        pairs = (np.array([[at, at], [low, high]]) for at, low, high in ends)
        return "".join(f'<polyline class="whisker" points="{frame.points(*pair)}"/>' for pair in pairs)


@dataclass(frozen=True)
class Bars:
    """Shares 0 to 1 [K], drawn faintly from the bottom in bins of equal width."""

    shares: NDArray[np.float64]

    def svg(self, frame: "Frame") -> str:
        """Return its elements."""
        width = (_WIDTH - _LEFT - _RIGHT) / max(len(self.shares), 1)
        heights = [frame.bottom - frame.up(float(share)) for share in np.nan_to_num(self.shares)]
        return "".join(
            f'<rect class="bar" x="{_LEFT + i * width + 1:.1f}" y="{frame.bottom - height:.1f}" '
            f'width="{width - 2:.1f}" height="{height:.1f}"/>'
            for i, height in enumerate(heights)
        )


Mark = Line | Band | Dots | Whiskers | Bars


@dataclass(frozen=True)
class Frame:
    """Where values of two axes lie on the drawing."""

    x: Axis
    y: Axis
    bottom: float = _HEIGHT - _BOTTOM

    def points(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
        """Return the points as SVG writes them; those that are not known are left out."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        kept = np.isfinite(x) & np.isfinite(y)
        across, up = self.x.share(x[kept]).tolist(), self.y.share(y[kept]).tolist()
        return " ".join(f"{self.across(a):.1f},{self.up(u):.1f}" for a, u in zip(across, up, strict=True))

    @staticmethod
    def across(share: float) -> float:
        """Return how far from the left a share of the horizontal axis lies."""
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    @staticmethod
    def up(share: float) -> float:
        """Return how far from the top a share of the upright axis lies."""
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def plot(title: str, x: Axis, y: Axis, marks: Sequence[Mark]) -> str:
    """Return one plot as an SVG element.

    Args:
        title: read aloud by screen readers.
        x: the horizontal axis.
        y: the vertical axis.
        marks: drawn in this order.
    """
    frame, told = Frame(x, y), escape(title)
    parts = [f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{told}"><title>{told}</title>']
    parts.extend(mark.svg(frame) for mark in marks if isinstance(mark, Bars))
    parts.extend(_axes(x, y))
    parts.extend(mark.svg(frame) for mark in marks if not isinstance(mark, Bars))
    parts.append("</svg>")
    return "".join(parts)


def _axes(x: Axis, y: Axis) -> list[str]:
    parts = [f'<text x="4" y="15">{escape(y.title)}</text>']
    for i in range(TICKS + 1):
        share = i / TICKS
        up, across = Frame.up(share), Frame.across(share)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up:.1f}" y2="{up:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{up + 5:.1f}" text-anchor="end">{_tick(y, share)}</text>')
        anchor = "end" if i == TICKS else "middle"
        at = min(across + _RIGHT, _WIDTH - 1) if i == TICKS else across
        parts.append(f'<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="{anchor}">{_tick(x, share)}</text>')
    middle = Frame.across(_LEAST_ROOM)
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x.title)}</text>')
    return parts


def _tick(axis: Axis, share: float) -> str:
    return escape(axis.tick(axis.low + share * (axis.high - axis.low)))
