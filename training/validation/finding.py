"""What was found in the data, and what stops a training."""

from collections.abc import Iterable
from dataclasses import dataclass

from ebb.errors import DataError

CRITICAL, WARNING = "critical", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing found in the data.

    Attributes:
        severity: `critical` stops the training, `warning` is told.
        column: which column it is about.
        reason: what was found, and what to do; never a value of a personal feature.
        count: rows, or distinct values, that it is about.
    """

    severity: str
    column: str
    reason: str
    count: int


def raise_on_critical(findings: Iterable[Finding]) -> None:
    """Stop when something critical was found.

    Raises:
        DataError: names every critical finding.
    """
    critical = [f"column {finding.column!r} {finding.reason}" for finding in findings if finding.severity == CRITICAL]
    if critical:
        raise DataError("the data cannot be trained on: " + "; ".join(critical))
