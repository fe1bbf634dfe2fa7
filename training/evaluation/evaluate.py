"""How good the answers are, on rows that neither the model nor the calibration of an answer have seen."""

import time

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ebb.contract.model import Contract
from ebb.decision import threshold
from ebb.errors import DataError
from ebb.features.inputs import Inputs
from ebb.ports import Scorer
from training.evaluation.calibration import BINS, calibration, calibration_error, log_losses, reliability
from training.evaluation.fairness import Answers, fairness
from training.evaluation.model import Calibration, Calibrations, Evaluation
from training.evaluation.money import money
from training.evaluation.ranking import rank, ranking
from training.evaluation.resample import Resampler, interval_of
from training.evaluation.segments import Segments, segment_table
from training.fit.coded import Coded, code

__all__ = ["BINS", "Evaluation", "calibration_error", "evaluate", "latency_ms", "reliability"]


def evaluate(
    contract: Contract,
    inputs: Inputs | Coded,
    labels: NDArray[np.int8],
    probabilities: NDArray[np.float64],
    *,
    raw: NDArray[np.float64] | None = None,
    groups: NDArray[np.intp] | None = None,
    importance: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Judge out-of-fold probabilities [N] of N labelled rows by the contract's economics.

    Args:
        contract: has economics, protected features and the smallest group.
        inputs: N rows that were held out.
        labels: 0 or 1, [N].
        probabilities: calibrated, [N].
        raw: the log-odds before calibration, [N]; None where they are not known.
        groups: number of each row's entity, [N]; None where every entity has one row.
        importance: of the features, numbers before categories; None takes the contract's order.
        seed: of the intervals.

    Raises:
        DataError: the rows have one class only, or an answer is no probability.
    """
    _judgeable(labels, probabilities)
    coded, resampler = code(inputs), Resampler(len(labels), groups, seed)
    answers = Answers(probabilities, labels, probabilities >= threshold(contract.decision))
    with threadpool_limits(limits=1):  # as fast alone, and many times faster beside other work
        before = None if raw is None else calibration(_sigmoid(raw), labels, resampler)
        return _evaluated(contract, coded, answers, resampler, before=before, importance=importance)


def _evaluated(
    contract: Contract,
    coded: Coded,
    answers: Answers,
    resampler: Resampler,
    *,
    before: Calibration | None,
    importance: NDArray[np.float64] | None,
) -> Evaluation:
    probabilities, labels = answers.probabilities, answers.labels
    ranked = rank(probabilities, labels)
    found = ranking(ranked, labels, resampler)
    earnings = money(contract.decision, probabilities, labels, ranked, resampler)
    after = calibration(probabilities, labels, resampler)
    acted_on = resampler.measured(float(answers.acted.mean()), resampler.means(answers.acted)[:, 0], 0, 1)
    figures = {
        "auc": found.auc,
        "average_precision": found.average_precision,
        "calibration_error": after.error,
        "brier": after.brier,
        "log_loss": after.log_loss,
        "acted_on": acted_on,
        "profit": earnings.profit,
        "profit_everyone": earnings.everyone,
    }
    class_rate = float(labels.mean())
    return Evaluation(
        rows=len(labels),
        class_rate=class_rate,
        mean_probability=float(probabilities.mean()),
        auc=found.auc.value,
        calibration_error=after.error.value,
        brier=after.brier.value,
        log_loss=after.log_loss.value,
        base_rate_log_loss=float(log_losses(np.full(len(labels), class_rate), labels).mean()),
        threshold=earnings.threshold,
        acted_on=acted_on.value,
        profit=earnings.profit.value,
        profit_everyone=earnings.everyone.value,
        fairness=fairness(contract, coded, answers, resampler),
        average_precision=found.average_precision.value,
        entities=resampler.entities,
        intervals={name: interval_of(figure) for name, figure in figures.items()},
        roc=found.roc,
        precision_recall=found.precision_recall,
        reliability=Calibrations(before, after),
        money=earnings,
        segments=segment_table(contract, Segments(contract, coded, importance), answers, ranked, resampler),
    )


def latency_ms(scorer: Scorer, inputs: Inputs, calls: int = 300) -> float:
    """Return the median milliseconds of scoring one row, over the first `calls` rows."""
    taken = []
    for i in range(calls):
        row = inputs.rows(slice(i % len(inputs), i % len(inputs) + 1))
        started = time.perf_counter()
        scorer.score(row)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000


def _judgeable(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> None:
    positives = int(labels.sum())
    if not 0 < positives < len(labels):
        raise DataError(
            f"{len(labels):,} rows with {positives:,} positive labels cannot be judged: both classes must occur"
        )
    wrong = int((~((probabilities >= 0) & (probabilities <= 1))).sum())
    if wrong:
        raise DataError(f"{wrong:,} of {len(labels):,} answers are no probabilities from 0 to 1: train again")


def _sigmoid(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -raw))
    return probabilities
