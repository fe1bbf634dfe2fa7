"""What the cheap release saves and what it loses, on rows whose outcome is known."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Decision
from ebb.decision import threshold
from ebb.errors import DataError, Misuse
from ebb.release.load import LoadedRelease
from training.dataset import Dataset, read_dataset
from training.evaluation.evaluate import latency_ms
from training.progress import Progress

MARGINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
"""Tried beside the one that is asked for."""

_SIGMAS_95 = 1.96


@dataclass(frozen=True)
class Policy:
    """One way of sending entities to the cheap release, compared with the champion for all.

    Attributes:
        margin: how far from the threshold a cheap answer must be to stand.
        weight: share of the entities that are sent there.
        cheap_share: share of all answers that the cheap release gives in the end.
        profit: per entity, in the decision's currency.
        lost: profit per entity that the champion for all would earn on top.
        lost_low, lost_high: 95 % interval of that (normal, paired by row).
        graph_ms: mean milliseconds of graph a prediction.
    """

    margin: float
    weight: float
    cheap_share: float
    profit: float
    lost: float
    lost_low: float
    lost_high: float
    graph_ms: float


@dataclass(frozen=True)
class CheapReport:
    """All policies that were tried.

    Attributes:
        rows: with a known outcome.
        currency: of every profit.
        champion_profit: per entity, when the champion answers all.
        champion_ms, cheap_ms: milliseconds of one row in each graph, the median of 300.
        policies: in the order of their margins.
    """

    rows: int
    currency: str
    champion_profit: float
    champion_ms: float
    cheap_ms: float
    policies: Sequence[Policy]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def compare_cheap(
    champion: LoadedRelease,
    cheap: LoadedRelease,
    data: Path,
    progress: Progress,
    *,
    weight: float,
    margins: Sequence[float],
) -> CheapReport:
    """Score a labelled table with both releases and judge each policy.

    Args:
        champion: the release that answers today.
        cheap: another release of the same contract.
        data: csv or parquet, with the label.
        progress: told of the steps.
        weight: share of the entities that are sent to the cheap release, 0 to 1.
        margins: of the policies.

    Raises:
        Misuse: a weight or margin is no share.
        DataError: the table does not fit a contract, or has no label.
    """
    if not 0 < weight <= 1 or not all(0 <= margin <= 1 for margin in margins):
        raise Misuse("--weight must be above 0 and at most 1, and --margin 0 to 1")
    best, dataset = _scored(champion, data, progress)
    quick, other = _scored(cheap, data, progress)
    labels = _labels(dataset, data)
    champion_ms, cheap_ms = latency_ms(champion.scorer, dataset.inputs), latency_ms(cheap.scorer, other.inputs)
    policies = []
    for margin in sorted(set(margins)):
        judged = policy(champion.contract.decision, best, quick, labels, weight=weight, margin=margin)
        graph_ms = weight * cheap_ms + (1 - judged.cheap_share) * champion_ms  # a hard case is scored by both
        policies.append(Policy(**{**asdict(judged), "graph_ms": graph_ms}))
    earned = _earned(champion.contract.decision, best, labels)
    currency = champion.contract.decision.currency
    return CheapReport(len(best), currency, float(earned.mean()), champion_ms, cheap_ms, policies)


def _scored(release: LoadedRelease, data: Path, progress: Progress) -> tuple[NDArray[np.float64], Dataset]:
    dataset = read_dataset(data, release.contract, labelled=True, progress=progress)
    with progress.step(f"Score with {release.name}", len(dataset.inputs)) as done:
        probabilities = release.scorer.score(dataset.inputs).astype(np.float64)
        done(len(probabilities))
    return probabilities, dataset


def _labels(dataset: Dataset, data: Path) -> NDArray[np.int8]:
    if dataset.labels is None or not len(dataset.labels):
        raise DataError(f"{data} has no rows with a label: profit is judged on known outcomes")
    return dataset.labels


def policy(
    decision: Decision,
    champion: NDArray[np.float64],
    cheap: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    weight: float,
    margin: float,
) -> Policy:
    """Judge one policy; `graph_ms` is left 0.

    An entity is sent to the cheap release with probability `weight`, whoever it is; so its profit is the mean over
    that draw, and no hash's luck is in the figure.

    Args:
        decision: the economics.
        champion: its probabilities, [N].
        cheap: the other release's probabilities, [N].
        labels: 0 or 1, [N].
        weight: see `Policy`.
        margin: see `Policy`.
    """
    easy = np.abs(cheap - threshold(decision)) >= margin
    alone = _earned(decision, champion, labels)
    sent = np.where(easy, _earned(decision, cheap, labels), alone)
    lost = weight * (alone - sent)
    half = _SIGMAS_95 * float(lost.std(ddof=1)) / np.sqrt(len(lost)) if len(lost) > 1 else float("inf")
    mean = float(lost.mean())
    profit = float(alone.mean()) - mean
    return Policy(margin, weight, weight * float(easy.mean()), profit, mean, mean - half, mean + half, 0.0)


def _earned(decision: Decision, probabilities: NDArray[np.float64], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return what acting on these probabilities earned with each row, [N]."""
    earned = labels * decision.success_rate * decision.retained_value - decision.action_cost
    found: NDArray[np.float64] = np.where(probabilities >= threshold(decision), earned, 0.0)
    return found
