"""Rows made to find a difference between a graph and its model: drawn, on edges, at the decision, and nasty.

Infinities are not among them: no contract accepts one (`ebb.features.values`).
"""

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from ebb.features.values import FLOAT32_MAX, LONGEST_CATEGORY
from training.calibrate import Model
from training.export.edges import around, at_decision, edges

UNSEEN = "UNSEEN_é中"
NASTY_NUMBERS = np.array(
    [
        *(np.nan, -np.nan, 0.0, -0.0, 1e-45, -1e-45, 1.1754942e-38, -1.1754942e-38, 1.1754944e-38, -1.1754944e-38),
        *(1e-35, -1e-35, 1.0000001e-35, -1.0000001e-35, 0.1, -1.0, 1.0, 16777216.0, 16777218.0, -16777218.0, 1e30),
        *(FLOAT32_MAX, -FLOAT32_MAX),
    ],
    np.float32,
)
"""Missing in both signs, both zeros, the smallest and largest denormals, the smallest normal, LightGBM's zero, whole
numbers beyond which float32 has gaps, and the largest float32."""
NASTY_TEXTS = (
    *("", " ", UNSEEN, *(character * LONGEST_CATEGORY for character in "x中😀"), "e\u0301", "\u00e9", "\u200f"),
    *("nan", "None", "null", "0", "\t", "\r\n", "\\", '"', "'; --", "\x7f", "\ufeff", "\ufffd"),
)
"""Missing, blank, unseen, as long as a contract allows in one, three and four bytes a character, composed and not,
right to left, words that other tools take for missing, and marks that break files."""
_ON_EDGE, _NASTY, _MISSING, _UNSEEN = 0.20, 0.02, 0.03, 0.03
_ALONE = 4
_AT_DECISION = 2_000


def parity_rows(model: Model, inputs: Inputs, *, rows: int, seed: int, probability: float = 0.5) -> Inputs:
    """Make rows.

    Args:
        model: whose edges are approached.
        inputs: the training data, whose values are drawn from.
        rows: how many are drawn column by column: known values, edges and their float32 neighbours, missing, unseen
            and nasty ones. Those at the decision and those that are nasty throughout come on top.
        seed: of the draw.
        probability: from which acting pays.
    """
    rng = np.random.default_rng(seed)
    drawn = _drawn(model, inputs, rows, rng)
    parts = [drawn, *_at_decision(model, drawn.rows(slice(0, _AT_DECISION)), probability), _nasty(inputs, rng)]
    return Inputs(np.concatenate([p.numbers for p in parts]), np.concatenate([p.categories for p in parts]))


def _drawn(model: Model, inputs: Inputs, rows: int, rng: np.random.Generator) -> Inputs:
    at = edges(model.fitted)
    numbers, categories = _known(inputs, rows, rng)
    for j in range(numbers.shape[1]):
        dice = rng.random(rows)
        if len(near := around(at.get(j, np.empty(0)))):
            on_edge = dice < _ON_EDGE
            numbers[on_edge, j] = rng.choice(near, int(on_edge.sum()))
        nasty = (dice > 1 - _MISSING - _NASTY) & (dice <= 1 - _MISSING)
        numbers[nasty, j] = rng.choice(NASTY_NUMBERS, int(nasty.sum()))
        numbers[dice > 1 - _MISSING, j] = np.nan
    for j in range(categories.shape[1]):
        dice = rng.random(rows)
        categories[dice < _UNSEEN, j] = UNSEEN
        nasty = (dice > 1 - _MISSING - _NASTY) & (dice <= 1 - _MISSING)
        categories[nasty, j] = rng.choice(np.array(NASTY_TEXTS, object), int(nasty.sum()))
        categories[dice > 1 - _MISSING, j] = ""
    return Inputs(numbers, categories)


def _known(inputs: Inputs, rows: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
    """Draw values of the table, column by column, so that no row is a person."""
    numbers = np.empty((rows, inputs.numbers.shape[1]), np.float32)
    categories = np.empty((rows, inputs.categories.shape[1]), object)
    for column, source in ((numbers, inputs.numbers), (categories, inputs.categories)):
        for j in range(source.shape[1]):
            column[:, j] = source[rng.integers(0, len(inputs), rows), j]
    return numbers, categories


def _at_decision(model: Model, base: Inputs, probability: float) -> list[Inputs]:
    """Move each number of some rows to where acting begins to pay, and to the two float32 values beside it."""
    made = []
    for j in range(base.numbers.shape[1]):
        value = at_decision(model, base, j, probability)
        for near in (value, np.nextafter(value, np.float32(-np.inf)), np.nextafter(value, np.float32(np.inf))):
            reached = np.isfinite(near)
            moved = base.rows(reached)
            moved.numbers[:, j] = near[reached]
            made.append(moved)
    return made


def _nasty(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Make rows with one nasty value in one column, and rows with the same one in all of them."""
    wide, texts = inputs.numbers.shape[1], inputs.categories.shape[1]
    alone = [("n", j, value) for j in range(wide) for value in NASTY_NUMBERS]
    alone += [("c", j, text) for j in range(texts) for text in NASTY_TEXTS]
    numbers, categories = _known(inputs, len(alone) * _ALONE, rng)
    for i, (kind, j, value) in enumerate(alone):
        (numbers if kind == "n" else categories)[i * _ALONE : (i + 1) * _ALONE, j] = value
    throughout = np.repeat(NASTY_NUMBERS, len(NASTY_TEXTS))[:, None].repeat(wide, axis=1)
    said = np.tile(np.array(NASTY_TEXTS, object), len(NASTY_NUMBERS))[:, None].repeat(texts, axis=1)
    return Inputs(np.concatenate([numbers, throughout]), np.concatenate([categories, said]))
