"""A chunk of customers as the columns of the table: names for codes, and values missing not at random."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.synthesize.customers import ACCESS, GROUPS, PAYMENTS, TERMS, Customers
from training.synthesize.world import CELLS, CHANNELS, CITIES, DEVICES, PLANS, REGIONS, named

LABEL, KEY = "churned", "customer_id"
NUMBERS = ("monthly_charges", "price_rise", "total_charges", "usage_gb", "usage_trend", "call_minutes", "satisfaction",
           "credit_score")  # fmt: skip
INTEGERS = ("age", "tenure_months", "contract_months_left", "sessions_30d", "days_since_login", "support_tickets_90d",
            "late_payments_12m", "outages_90d", "household_size")  # fmt: skip
FLAGS = ("autopay", "paperless_billing", "family_plan")


def table_of(random: np.random.Generator, first: int, customers: Customers, churned: NDArray[np.bool_]) -> pa.Table:
    """Lay one chunk out as the published table: key, 30 features, label."""
    gaps = _gaps(random, customers)
    columns: dict[str, pa.Array] = {KEY: keys(first, len(churned))}
    told = customers.columns
    for name in NUMBERS:
        columns[name] = pa.array(told[name], pa.float64(), mask=gaps.get(name))
    for name in INTEGERS:
        columns[name] = pa.array(told[name], pa.int64(), mask=gaps.get(name))
    for name in FLAGS:
        columns[name] = pa.array(told[name].astype(bool), pa.bool_(), mask=gaps.get(name))
    for name, texts in _texts(customers).items():
        columns[name] = pa.array(texts, pa.string(), mask=gaps.get(name))
    columns[LABEL] = pa.array(churned, pa.bool_())
    return pa.table(columns)


def keys(first: int, rows: int) -> pa.Array:
    """Return the keys of `rows` customers from number `first` on, such as `C00000001`."""
    numbers = pa.array(np.arange(first, first + rows)).cast(pa.string())
    return pc.binary_join_element_wise("C", pc.utf8_lpad(numbers, 8, "0"), "")


def _texts(customers: Customers) -> dict[str, NDArray[Any]]:
    told = customers.columns
    return {
        "contract_term": TERMS[told["contract_term"]],
        "payment_method": PAYMENTS[told["payment_method"]],
        "internet_service": ACCESS[told["internet_service"]],
        "plan": named("plan", 2, told["plan"], PLANS),
        "device": named("device", 2, told["device"], DEVICES),
        "acquisition_channel": np.array(CHANNELS, object)[told["acquisition_channel"]],
        "region": named("region", 1, told["region"], REGIONS),
        "city": named("city", 3, told["city"], CITIES),
        "cell": named("cell", 4, told["cell"], CELLS),
        "population_group": GROUPS[customers.group_b.astype(np.int64)],
    }


def _gaps(random: np.random.Generator, customers: Customers) -> dict[str, NDArray[np.bool_]]:
    """Tell where values are missing: never at random, always by what stands in the row or would have stood there."""
    told, rows = customers.columns, len(customers.group_b)
    tenure = told["tenure_months"]

    def chance(share: Any) -> NDArray[np.bool_]:
        return np.asarray(random.random(rows) < share)

    return {
        # unhappy customers answer surveys less often
        "satisfaction": chance(0.15 + 0.05 * (8.0 - told["satisfaction"]).clip(0, 8)),
        # group B and newcomers have no credit file more often
        "credit_score": chance(0.04 + 0.10 * customers.group_b + 0.15 * (tenure < 6)),  # noqa: PLR2004 - months
        "usage_trend": tenure < 3,  # noqa: PLR2004 - a trend needs three months
        "total_charges": tenure < 1,
        "contract_months_left": told["contract_term"] == 0,
        # those who hardly call have calls counted elsewhere
        "call_minutes": chance(np.where(told["call_minutes"] < 25.0, 0.4, 0.02)),  # noqa: PLR2004 - minutes
        "device": chance(0.03 + 0.05 * (told["internet_service"] == 2)),  # noqa: PLR2004 - mobile
        # nobody wrote the channel down in the early years
        "acquisition_channel": chance(np.where(tenure > 96, 0.7, 0.02)),  # noqa: PLR2004 - eight years
    }
