"""Verdicts as results of Great Expectations, for its page: figures are judged by kind, but read by column."""

from collections.abc import Sequence
from typing import Any

from training.validation.expected import COUNTED, FIGURELESS, Kind, Verdict
from training.validation.translated import as_class


def results_of(verdicts: Sequence[Verdict], rows: int) -> list[Any]:
    """Return the results that judging `rows` rows directly would have given, as far as figures tell them."""
    from great_expectations.core import ExpectationValidationResult  # noqa: PLC0415 - only for docs
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415 - as above
        ExpectationConfiguration,
    )

    made = []
    for verdict in verdicts:
        asked, kwargs = as_class(verdict.expected, ())
        config = ExpectationConfiguration(
            type=asked.expectation_type, kwargs=kwargs, severity=verdict.expected.severity
        )
        result = _result(verdict, rows)
        made.append(ExpectationValidationResult(success=verdict.passed, expectation_config=config, result=result))
    return made


def _result(verdict: Verdict, rows: int) -> dict[str, Any]:
    kind, observed = verdict.expected.kind, verdict.observed
    if kind in FIGURELESS or observed is None:
        return {}
    if kind not in COUNTED:
        return {"observed_value": 1.0 - observed if kind is Kind.MISSING_RATE else observed}
    share = 100.0 * observed / rows if rows else 0.0
    return {
        "element_count": rows,
        "unexpected_count": round(observed),
        "unexpected_percent": share,
        "unexpected_percent_total": share,
        "partial_unexpected_list": [verdict.value] if verdict.value else [],
    }
