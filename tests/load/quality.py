"""How good the champion is on a table, judged honestly: size and calibration are chosen inside every outer fold."""

from typing import TypedDict

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from ebb.contract import Contract
from tests.fakes.searched import searched
from training.dataset import Dataset
from training.evaluation.evaluate import calibration_error
from training.search import SIZES, fit_best

FOLDS = 5
SEED = 0


class Quality(TypedDict):
    """Pooled over all rows, each answered by a model that had not seen it."""

    contract: str
    rows: int
    auc: float
    calibration_error: float
    chosen: list[str]


def measure(contract: Contract, dataset: Dataset) -> Quality:
    """Measure AUC and calibration error (10 bins of equal width), pooled out of fold.

    Each outer fold chooses between all sizes of trees by its own inner folds and calibrates on those.
    """
    labels = dataset.labels
    assert labels is not None, "quality needs labels"
    answers = np.empty(len(labels))
    chosen = []
    outer = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for known, held_out in outer.split(labels[:, None], labels):
        inputs = dataset.inputs.rows(known)
        found = searched(inputs, labels[known], SIZES)
        model = fit_best(inputs, labels[known], found, SEED)
        answers[held_out] = model.probability(dataset.inputs.rows(held_out))
        chosen.append(found.best.candidate.name)
    return {
        "contract": contract.name,
        "rows": len(labels),
        "auc": float(roc_auc_score(labels, answers)),
        "calibration_error": calibration_error(answers, labels),
        "chosen": chosen,
    }
