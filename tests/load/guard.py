"""How a test judges figures: shown in full, and failed together."""

from collections.abc import Sequence

from tests.load.figures import Figure, rows_of


def guard(figures: Sequence[Figure]) -> None:
    """Print every figure, and fail when a promised one is missed by more than is tolerated."""
    show(figures)
    missed = [f"{f.name}: {f.measured:g} against {f.target}" for f in figures if not f.tolerable]
    assert not missed, missed


def show(figures: Sequence[Figure]) -> None:
    """Print every figure."""
    for row in rows_of(figures):
        print(" | ".join(row))  # noqa: T201 - shown by `make verify`
