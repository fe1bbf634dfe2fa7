"""Whether accepted data may be learned from: the contract's suite, leaks, classes and groups."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.release.reference import Reference
from training.dataset import Dataset
from training.describe.single import judged_rows
from training.progress import Progress, Silent
from training.validation.expected import Verdict
from training.validation.facts import judge_profile
from training.validation.finding import CRITICAL, Finding
from training.validation.learnable import judge_learnable
from training.validation.measured import measure
from training.validation.profile import Profile
from training.validation.protected import groups_of, judge_groups
from training.validation.question import edges_of
from training.validation.sentences import findings_of
from training.validation.suite import Seen, suite_of

_SILENT = Silent()


@dataclass(frozen=True)
class Validation:
    """What a validation came to; a collection of its findings.

    Attributes:
        findings: what was found, the critical first.
        verdicts: every expectation of the suite.
        rows: of the table.
        judged: rows that the suite looked at.
        engine: `rows`, `profile`, or `figures` of accepted rows.
        events: whether the table holds the events that features are built from.
        docs: the data docs, bytes by file name; empty where they were not asked for.
    """

    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    rows: int
    judged: int
    engine: str = "figures"
    events: bool = False
    docs: Mapping[str, bytes] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Finding]:
        """Yield the findings."""
        return iter(self.findings)

    def __len__(self) -> int:
        """Return how many findings there are."""
        return len(self.findings)

    @property
    def critical(self) -> bool:
        """Whether something forbids training."""
        return any(finding.severity == CRITICAL for finding in self.findings)


def validate(
    contract: Contract,
    dataset: Dataset,
    source: str,
    *,
    reference: Reference | None = None,
    docs: bool = False,
    progress: Progress = _SILENT,
    now: float | None = None,
) -> Validation:
    """Judge accepted data beyond acceptance; nothing is written and nobody is asked.

    Of more than 50,000 rows, the suite judges so many, drawn with a fixed seed: acceptance has already seen every
    row's range, kind and key. Whether a class is too small is judged on all rows.

    Args:
        contract: what the data was accepted by.
        dataset: the accepted data; its labels may be absent.
        source: the table's name for people.
        reference: of a release; drift is judged against it, and not without.
        docs: whether to render the data docs.
        progress: shows the steps.
        now: the moment of judging, epoch seconds; now where it is not given.
    """
    now = time.time() if now is None else now
    chosen = _chosen(dataset)
    with progress.step("Judge expectations", 2 + docs) as done:
        told = measure(contract, dataset, chosen, now=now, edges=edges_of(contract, reference))
        verdicts = judge_profile(told, suite_of(contract, _seen(dataset, chosen, told, now), reference))
        done(1)
        whole = len(chosen) == dataset.rows
        found = findings_of(verdicts, len(chosen), source)
        found += judge_learnable(contract, dataset, source, whole=whole)
        found += judge_groups(contract, groups_of(contract, dataset))
        found.sort(key=lambda finding: finding.severity != CRITICAL)
        done(1)
        pages: dict[str, bytes] = {}
        if docs:
            from training.validation.docs import PAGE, render  # noqa: PLC0415 - only where they are asked for
            from training.validation.results import results_of  # noqa: PLC0415 - as above

            line = f"{dataset.rows:,} rows, {len(chosen):,} of them judged; contract {contract.name}"
            pages[PAGE] = render(source, line, found, results_of(verdicts, len(chosen)))
            done(1)
    return Validation(tuple(found), tuple(verdicts), dataset.rows, len(chosen), docs=pages)


def _seen(dataset: Dataset, chosen: NDArray[np.intp], told: Profile, now: float) -> Seen:
    return Seen(
        columns=frozenset(told.columns),
        rows=len(chosen),
        now=now,
        labelled=dataset.labels is not None,
        whole=len(chosen) == dataset.rows,
        filled=told.filled,
        independent=0 if dataset.groups is None else len(np.unique(dataset.groups[chosen])),
    )


def _chosen(dataset: Dataset) -> NDArray[np.intp]:
    """Return the rows to be judged; a sample also holds a value, and another one, of every column that has such."""
    rows = judged_rows(dataset.rows)
    if len(rows) == dataset.rows:
        return rows
    extra: list[int] = []
    for column in dataset.inputs.numbers.T:
        extra.extend(_first_two(column, ~np.isnan(column)))
    for column in dataset.inputs.categories.T:
        extra.extend(_first_two(column, column != ""))
    return np.union1d(rows, np.array(extra, np.intp))


def _first_two(column: NDArray[np.generic], filled: NDArray[np.bool_]) -> list[int]:
    if not filled.any():
        return []
    first = int(np.argmax(filled))
    other = filled & (column != column[first])
    return [first, int(np.argmax(other))] if other.any() else [first]
