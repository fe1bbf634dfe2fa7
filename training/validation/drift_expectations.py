"""PSI and KS as expectations of Great Expectations. Import this only after `training.validation.gx.load`."""

import math
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnAggregateExpectation, render_suite_parameter_string
from great_expectations.expectations.metrics import ColumnAggregateMetricProvider, column_aggregate_value
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from training.validation.drift import Bins, count_categories, count_numbers, ks, psi


def _counted(column: pd.Series, bins: dict[str, Any]) -> tuple[np.ndarray[Any, Any], Bins]:
    reference = Bins(
        tuple(bins["counts"]),
        tuple(bins["edges"]),
        tuple(bins["categories"]),
        tuple(bins["groups"]),
        bool(bins["is_category"]),
    )
    if reference.is_category:
        known = {str(name): int(count) for name, count in column.value_counts().items()}
        return count_categories(known, int(column.isna().sum()), reference), reference
    return count_numbers(column.to_numpy(np.float64), reference), reference


class _ColumnPsi(ColumnAggregateMetricProvider):  # type: ignore[misc]
    metric_name = "column.ebb_psi"
    value_keys = ("bins",)

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column: pd.Series, bins: dict[str, Any], **_rest: Any) -> float:  # noqa: N805 - the library's way
        return psi(*_counted(column, bins))


class _ColumnKs(ColumnAggregateMetricProvider):  # type: ignore[misc]
    metric_name = "column.ebb_ks"
    value_keys = ("bins",)

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column: pd.Series, bins: dict[str, Any], **_rest: Any) -> float:  # noqa: N805 - as above
        return ks(*_counted(column, bins))


class _Drift(ColumnAggregateExpectation):  # type: ignore[misc]
    """A figure of drift that may be at most `maximum`; see `training.validation.drift`."""

    bins: dict[str, Any]
    maximum: float
    rows: int = 0

    success_keys = ("bins", "maximum", "rows")
    args_keys = ("column", "bins", "maximum", "rows")
    figure: ClassVar[str] = ""

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        del runtime_configuration, execution_engine
        observed = float(metrics[self.metric_dependencies[0]])
        return {"success": math.isfinite(observed) and observed <= self.maximum, "result": {"observed_value": observed}}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    @render_suite_parameter_string  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **_rest: Any
    ) -> list[Any]:
        del result, runtime_configuration
        asked = configuration.kwargs
        template = "$figure against the reference must be at most $limit, the most that chance explains in $rows rows"
        params = {"figure": cls.figure, "limit": f"{asked['maximum']:.4g}", "rows": f"{asked.get('rows', 0):,}"}
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template", string_template={"template": template, "params": params}
            )
        ]


class ExpectColumnPsiToBeAtMost(_Drift):
    """Expect the population stability index against a reference to stay below what chance allows."""

    metric_dependencies = ("column.ebb_psi",)
    figure = "PSI"


class ExpectColumnKsToBeAtMost(_Drift):
    """Expect the Kolmogorov-Smirnov distance to a reference to stay below what chance allows."""

    metric_dependencies = ("column.ebb_ks",)
    figure = "KS distance"
