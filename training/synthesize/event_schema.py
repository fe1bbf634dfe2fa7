"""The four kinds of shards of a world of events: their columns, and the names behind codes."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.synthesize.customers import ACCESS, GROUPS, PAYMENTS, TERMS
from training.synthesize.world import CITIES, PLANS

KEY, AT = "customer_id", "happened_at"
EVENTS, CUSTOMERS, OUTCOMES, TRUTH = "events", "customers", "outcomes", "truth"
TABLES = (EVENTS, CUSTOMERS, OUTCOMES, TRUTH)

ACCOUNT_KINDS = ("bill", "joined", "late_payment", "left", "price_rise")
"""They sort before the others, and have row groups of their own: a query for one reads next to nothing else."""
USE_KINDS = ("session", "survey", "ticket", "voice")
KINDS = ACCOUNT_KINDS + USE_KINDS
ASKED_OVER = ("app", "phone", "shop", "web")
NAMES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "channel": ASKED_OVER,
    "contract_term": tuple(TERMS),
    "payment_method": tuple(PAYMENTS),
    "internet_service": tuple(ACCESS),
    "plan": tuple(f"plan-{i:02d}" for i in range(PLANS)),
    "city": tuple(f"city-{i:03d}" for i in range(CITIES)),
    "population_group": tuple(GROUPS),
}
"""Texts of each category by its code."""

_TEXT = pa.dictionary(pa.int16(), pa.string())
_MOMENT = pa.timestamp("us")
BILL = {
    "contract_term": _TEXT, "payment_method": _TEXT, "internet_service": _TEXT, "plan": _TEXT, "city": _TEXT,
    "population_group": _TEXT, "tenure_months": pa.int16(), "age": pa.int16(), "household_size": pa.int16(),
    "credit_score": pa.int16(), "autopay": pa.bool_(), "family_plan": pa.bool_(),
}  # fmt: skip
"""What a bill says about the account; missing in every other event."""
SCHEMAS = {
    EVENTS: pa.schema(
        {
            KEY: pa.int64(), AT: _MOMENT, "kind": _TEXT, "channel": _TEXT, "seconds": pa.int32(),
            "megabytes": pa.int32(), "quality": pa.int16(), "lag_ms": pa.int32(), "score": pa.int8(),
            "cents": pa.int32(), **BILL,
        }
    ),
    CUSTOMERS: pa.schema({KEY: pa.int64(), "joined_before": pa.bool_(), **BILL, "cents": pa.int32()}),
    OUTCOMES: pa.schema({KEY: pa.int64(), "snapshot_time": _MOMENT, "known_at": _MOMENT, "left": pa.bool_()}),
    TRUTH: pa.schema(
        {
            KEY: pa.int64(), "snapshot_time": _MOMENT, "probability": pa.float64(), "satisfaction": pa.float32(),
            "intent": pa.bool_(),
        }
    ),
}  # fmt: skip


def coded(name: str, codes: NDArray[np.integer]) -> pa.DictionaryArray:
    """Return codes as the texts of a category."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), pa.array(NAMES[name], pa.string()))


def filled(schema: pa.Schema, rows: int, told: dict[str, pa.Array]) -> pa.Table:
    """Return a table of a schema; columns that are not told are missing throughout."""
    columns = [told[field.name] if field.name in told else pa.nulls(rows, field.type) for field in schema]
    return pa.table(columns, schema=schema)
