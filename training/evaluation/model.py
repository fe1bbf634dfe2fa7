"""What was measured of a model, as frozen values that become `metrics.json` as they are.

An interval is 95 %, from 200 seeded resamples of whole entities (`training.evaluation.resample`), and holds its point.
None stands for what these rows cannot tell: an interval from too few entities, the AUC of a segment with one class.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from training.evaluation.evidence import Leakage, Robustness
from training.evaluation.fair_groups import Fairness
from training.evaluation.measured import Interval, Measured


@dataclass(frozen=True)
class Curve:
    """A curve as points, with the band of its interval; all of the same length.

    Attributes:
        x: false positive rate, recall or threshold, ascending.
        y: true positive rate, precision or profit per entity.
        low, high: band of y at each x; empty where there are too few entities to tell.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """One bin of the reliability diagram.

    Attributes:
        rows: how many.
        mean_probability: answered in it.
        positives: share of positive labels in it.
        low, high: interval of that share; None where there are too few entities to tell.
    """

    rows: int
    mean_probability: float
    positives: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities mean what they say.

    Attributes:
        bins: of equal width, those that have rows.
        error: expected calibration error over these bins.
        error_if_perfect: the error that perfectly calibrated probabilities would show on as many rows, by chance.
        brier: mean squared error.
        log_loss: mean, natural logarithm.
    """

    bins: tuple[Bin, ...]
    error: Measured
    error_if_perfect: float
    brier: Measured
    log_loss: Measured


@dataclass(frozen=True)
class Calibrations:
    """Before calibration (the sigmoid of the raw log-odds; None where those are not known) and after it."""

    before: Calibration | None
    after: Calibration


@dataclass(frozen=True)
class Money:
    """What acting earns per entity, in the decision's currency; doing nothing earns 0.

    Attributes:
        currency: ISO 4217 code.
        threshold: probability from which acting pays if the probabilities are right.
        profit: acting from that threshold on.
        everyone: acting on everyone.
        over_everyone: the difference of the two, on the same rows.
        best_threshold: the one that earned most on these rows.
        best_profit: what it earned; chosen on the rows it is judged on, so a little flattered.
        expected_maximum: expected maximum profit, where the success rate is uncertain (`training.evaluation.emp`).
        expected_share: share acted on when each success rate is met with its own best threshold.
        success_alpha, success_beta: of the Beta distribution of the success rate.
        curve: profit by threshold.
    """

    currency: str
    threshold: float
    profit: Measured
    everyone: Measured
    over_everyone: Measured
    best_threshold: Measured
    best_profit: Measured
    expected_maximum: Measured
    expected_share: float
    success_alpha: float
    success_beta: float
    curve: Curve


@dataclass(frozen=True)
class Segment:
    """The rows with one category, or in one quarter of a number.

    Attributes:
        feature: its name.
        name: the category, value or range.
        rows: how many.
        positives: share of positive labels.
        auc: within the segment; None where it has one class only.
        mean_probability: of its answers.
        calibration: mean probability - share of positives, with its interval.
        acted_on: share at or above the threshold.
        profit: per entity of the segment.
        log_loss: mean, natural logarithm.
    """

    feature: str
    name: str
    rows: int
    positives: float
    auc: float | None
    mean_probability: float
    calibration: Measured
    acted_on: float
    profit: Measured
    log_loss: Measured


@dataclass(frozen=True)
class Evaluation:
    """What pooled out-of-fold probabilities are worth.

    Attributes:
        rows: judged.
        class_rate: share of positive labels.
        mean_probability: of all answers; equals the class rate where calibration is right on the whole.
        auc: area under the ROC curve.
        calibration_error: see `training.evaluation.calibration`.
        brier: mean squared error of the probabilities.
        log_loss: mean, natural logarithm.
        base_rate_log_loss: of always answering the class rate.
        threshold: probability at and above which acting pays.
        acted_on: share of rows at or above it.
        profit: per entity, acting at the threshold, in the decision's currency; doing nothing earns 0.
        profit_everyone: per entity, acting on everyone.
        fairness: by protected feature.
        average_precision: area under the precision-recall curve, by steps.
        entities: that the rows are of.
        intervals: of the figures above, by their names.
        roc: true positive rate by false positive rate.
        precision_recall: precision by recall.
        reliability: calibration before and after Platt scaling.
        money: what acting earns.
        segments: per feature, the most important features first.
        robustness: what missing and shifted features do; None where it was not tried.
        leakage: what single features tell; None where it was not looked at.
    """

    rows: int
    class_rate: float
    mean_probability: float
    auc: float
    calibration_error: float
    brier: float
    log_loss: float
    base_rate_log_loss: float
    threshold: float
    acted_on: float
    profit: float
    profit_everyone: float
    fairness: tuple[Fairness, ...]
    average_precision: float
    entities: int
    intervals: Mapping[str, Interval | None]
    roc: Curve
    precision_recall: Curve
    reliability: Calibrations
    money: Money
    segments: tuple[Segment, ...]
    robustness: Robustness | None = None
    leakage: Leakage | None = None
