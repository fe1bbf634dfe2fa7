"""Plots of one line, beside the figures of a table's row: a share with its interval, or a bar."""

from html import escape
from typing import Any

from training.card.wording import known

_WIDTH, _HEIGHT, _EDGE = 130, 20, 5


def strip(told: str, value: Any, low: Any, high: Any, *, top: float = 1.0) -> str:
    """Return a dot with its interval on a line from 0 to `top`, as an SVG element.

    Args:
        told: read aloud by screen readers.
        value: the figure; nothing is drawn for what is not known.
        low: where its interval begins.
        high: where it ends.
        top: where the line ends.
    """
    middle = _HEIGHT // 2
    parts = [_open(told), f'<line class="grid" x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="{middle}" y2="{middle}"/>']
    if known(low) and known(high):
        ends = f'x1="{_across(low, top):.1f}" x2="{_across(high, top):.1f}"'
        parts.append(f'<line class="range" {ends} y1="{middle}" y2="{middle}"/>')
    if known(value):
        parts.append(f'<circle class="dot" cx="{_across(value, top):.1f}" cy="{middle}" r="4"/>')
    return "".join([*parts, "</svg>"])


def bar(told: str, value: Any, top: float, style: str = "") -> str:
    """Return a bar from 0 to `value` where `top` fills the width, as an SVG element; see `strip`."""
    length = max(_across(value, top) - _EDGE, 1.0) if known(value) else 0.0
    drawn = f'<rect class="full {style}" x="{_EDGE}" y="4" width="{length:.1f}" height="{_HEIGHT - 8}" rx="2"/>'
    return "".join([_open(told), drawn, "</svg>"])


def _open(told: str) -> str:
    text = escape(told)
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg class="strip" {size} role="img" aria-label="{text}"><title>{text}</title>'


def _across(value: float, top: float) -> float:
    share = min(max(value / top, 0.0), 1.0) if top > 0 else 0.0
    return _EDGE + share * (_WIDTH - 2 * _EDGE)
