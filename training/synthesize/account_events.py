"""What accounts record in one month: bills with all that they say, who joined, paid late, left or was charged more."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.synthesize.customers import Customers
from training.synthesize.event_schema import ACCOUNT_KINDS, AT, BILL, EVENTS, KEY, KINDS, NAMES, SCHEMAS, coded, filled
from training.synthesize.lives import Lived
from training.synthesize.seasons import DAY

_BILLING = 4 * 3_600_000_000
_MILLISECOND = 1_000

Missing = dict[str, NDArray[np.bool_]]


def no_credit_file(random: np.random.Generator, customers: Customers) -> NDArray[np.bool_]:
    """Draw who has no credit file: newcomers and group B more often, and the worse it would be."""
    told = customers.columns
    worse = (600 - told["credit_score"]).clip(0, 200) / 1_000
    share = 0.04 + 0.10 * customers.group_b + 0.15 * (told["tenure_months"] < 6) + worse  # noqa: PLR2004 - months
    return np.asarray(random.random(len(share)) < share)


def account(
    customers: Customers, rows: NDArray[np.intp], tenure: NDArray[np.int64], gaps: Missing
) -> dict[str, pa.Array]:
    """Return what bills say of the customers at `rows`, by column."""
    told = {**customers.columns, "population_group": customers.group_b, "tenure_months": tenure}
    columns = {}
    for name, kind in BILL.items():
        values = told[name][rows]
        if name in NAMES:
            columns[name] = coded(name, values)
        else:
            exact = values.astype(bool) if pa.types.is_boolean(kind) else values.astype(np.int16)
            columns[name] = pa.array(exact, kind, mask=gaps[name][rows] if name in gaps else None)
    return columns


def account_events(
    random: np.random.Generator, keys: NDArray[np.int64], customers: Customers, lived: Lived, gaps: Missing
) -> pa.Table:
    """Return a month's events of accounts, kind by kind, bills first; none of them is missing where it happened."""
    month, everybody = lived.month, np.arange(len(keys))
    billed = everybody[lived.stays]
    owed = np.repeat(everybody, lived.late)
    first = month.start + lived.first_day * DAY
    happened = {
        "bill": (billed, month.end - 1 - _some(random, len(billed), _BILLING), lived.charge[billed]),
        "joined": (everybody[lived.joins], first[lived.joins], None),
        "late_payment": (owed, _inside(random, lived, owed), lived.charge[owed]),
        "left": (everybody[lived.left], month.start + lived.days[lived.left] * DAY - _MILLISECOND, None),
        "price_rise": (rose := everybody[lived.rise > 0], _inside(random, lived, rose), lived.rise[rose]),
    }
    parts = []
    for kind in ACCOUNT_KINDS:
        who, at, cents = happened[kind]
        columns = {
            KEY: pa.array(keys[who]),
            AT: pa.array((at // _MILLISECOND * _MILLISECOND).astype("datetime64[us]")),
            "kind": coded("kind", np.full(len(who), KINDS.index(kind))),
        }
        if cents is not None:
            columns["cents"] = pa.array(cents.astype(np.int32))
        if kind == "bill":
            columns |= account(customers, who, lived.tenure, gaps)
        parts.append(filled(SCHEMAS[EVENTS], len(who), columns))
    return pa.concat_tables(parts).combine_chunks()


def _some(random: np.random.Generator, count: int, most: int) -> NDArray[np.int64]:
    return random.integers(0, most, count)


def _inside(random: np.random.Generator, lived: Lived, who: NDArray[np.intp]) -> NDArray[np.int64]:
    """Draw moments of days on which the customers at `who` are customers."""
    after = lived.first_day[who] * DAY + (random.random(len(who)) * lived.days[who] * DAY).astype(np.int64)
    return lived.month.start + after
