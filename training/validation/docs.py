"""The data docs of one validation: Great Expectations' own result page, in one file that asks nobody for anything.

The library's page loads styles, scripts and a logo from six other servers. Here its renderers and blocks stand in a
page of ours, with a few lines of style and no script.
"""

import html
import math
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.validation.finding import Finding
from training.validation.gx import load
from training.validation.ranges import shown_bound

PAGE = "validation.html"
_SITE_LINKS = re.compile(r' href="\.\./[^"]*"')
"""Links to pages of a whole site, which is not written."""


def render(title: str, line: str, findings: Sequence[Finding], results: Sequence[Any]) -> bytes:
    """Return the page as HTML.

    Args:
        title: what was validated.
        line: a sentence below the title.
        findings: what was found; never holds a value of a personal feature.
        results: Great Expectations' results.
    """
    gx = load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.core import ExpectationSuiteValidationResult  # noqa: PLC0415 - only for docs
        from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415 - as above
        from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415 - as above

        passed = sum(bool(result.success) for result in results)
        share = 100.0 * passed / len(results) if results else 100.0
        whole = ExpectationSuiteValidationResult(
            success=passed == len(results),
            results=[_plain(result) for result in results],
            suite_name="ebb",
            suite_parameters={},
            statistics={
                "evaluated_expectations": len(results),
                "successful_expectations": passed,
                "unsuccessful_expectations": len(results) - passed,
                "success_percent": share,
            },
            meta={
                "expectation_suite_name": "ebb",
                "great_expectations_version": gx.__version__,
                "run_id": {"run_name": None, "run_time": None},
            },
        )
        document = ValidationResultsPageRenderer().render(whole)
        view = DefaultJinjaPageView()
        page = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")
        told = {"ebb_title": title, "ebb_line": line, "ebb_findings": list(findings)}
        content = {**document.to_json_dict(), **told}
        text = str(view.env.from_string(page).render(content))
    return _SITE_LINKS.sub("", text).encode()


def _plain(result: Any) -> Any:
    """Return a result as it may be rendered: Python's own numbers, and names that are no markup."""
    # It puts a column's name and examples of values into the page as they stand.
    result.result.update({name: _escaped(told) for name, told in result.result.items() if isinstance(told, list)})
    kwargs = result.expectation_config.kwargs
    kwargs.update({name: _escaped(kwargs[name]) for name in ("column", "column_list") if name in kwargs})
    if result.expectation_config.type == "expect_column_values_to_be_between":
        shown = {name: shown_bound(kwargs.get(name)) for name in ("min_value", "max_value")}
        if any(bound is not None for bound in shown.values()):  # the library renders no range without a bound
            kwargs.update(shown)
    if result.expectation_config.type == "expect_column_proportion_of_non_null_values_to_be_between":
        # without the last bits that `filled_bounds` adds
        kwargs.update({name: float(f"{kwargs[name]:.6g}") for name in ("min_value", "max_value")})
    observed = result.result.get("observed_value")
    if hasattr(observed, "item"):
        observed = observed.item()
    if isinstance(observed, float):
        observed = float(f"{observed:.6g}") if math.isfinite(observed) else None
    if "observed_value" in result.result:
        result.result["observed_value"] = observed
    return result


def _escaped(names: Any) -> Any:
    if isinstance(names, list):
        return [_escaped(name) for name in names]
    if isinstance(names, dict):
        return {key: _escaped(name) for key, name in names.items()}
    return html.escape(names) if isinstance(names, str) else names
