"""Options of `ebb train` that say how long and among what it searches."""

from pathlib import Path
from typing import Annotated

import typer

PRICE_AN_HOUR = 0.23
"""Dollars of a SageMaker ml.m5.xlarge in us-east-1: AWS's list price as of 2026-11, to be checked."""

Seconds = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Seconds from now to the end of search and refit; the first candidate always finishes, on a large table "
        "with fewer folds or rows. Without it, only the shipped candidates are compared.",
    ),
]
Dollars = Annotated[float | None, typer.Option(min=0, help="The same budget in dollars, at --price an hour.")]
Price = Annotated[float, typer.Option(help="Dollars an hour of the machine.")]
Trials = Annotated[int | None, typer.Option(min=1, help="Candidates to try at most.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Fits at once; all cores if not given.")]
Families = Annotated[
    str, typer.Option(help="Families that may win, by commas: boosted, logistic, lightgbm (if installed).")
]
Resume = Annotated[
    Path | None, typer.Option(help="A folder that keeps the search: after an interrupt, the same command goes on.")
]
