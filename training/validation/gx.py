"""Great Expectations behind one door: imported when it is needed, silent, without network, and writing nothing.

Version 1.24 sends no usage statistics of its own; the switches are set all the same, for those that do.
"""

import logging
import os
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PLACE = "ebb_place"
_SWITCHES = {"GX_ANALYTICS_ENABLED": "false"}


@cache
def load() -> Any:
    """Return the module `great_expectations`; the first call takes seconds."""
    for name, value in _SWITCHES.items():
        os.environ[name] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: PLC0415 - takes seconds, and many commands never need it
    # It logs whole tracebacks of what becomes a failed expectation here.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    return great_expectations


def judge(frame: "pd.DataFrame", expectations: Sequence[Any], name: str, *, examples: int, rows: bool = False) -> Any:
    """Hold a frame against expectations of Great Expectations.

    Args:
        frame: what is judged.
        expectations: in the order of the results.
        name: the suite's.
        examples: how many values that break an expectation its result may hold; 0 for personal ones.
        rows: whether results list all rows that break them, by their position.

    Returns:
        Its `ExpectationSuiteValidationResult`, with the results in the order of the expectations.
    """
    gx = load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral", project_config=_project())
        asset = context.data_sources.add_pandas("ebb").add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        # It answers in an order of its own.
        for place, expectation in enumerate(expectations):
            expectation.meta = {_PLACE: place}
        suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
        detail = "COMPLETE" if rows else "BASIC"
        found = batch.validate(suite, result_format={"result_format": detail, "partial_unexpected_count": examples})
    found.results.sort(key=lambda result: result.expectation_config.meta[_PLACE])
    return found


def _project() -> Any:
    """Return a project that lies in memory alone: no site of docs, no statistics, no bars."""
    from great_expectations.data_context.types import base  # noqa: PLC0415 - see `load`

    return base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=base.ProgressBarsConfig(globally=False),
    )
