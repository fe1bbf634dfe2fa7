"""The contract of the web shop fits a table built from its transactions as known at a snapshot.

The features are built here by pandas; the portable SQL that builds them comes with the feature store's events.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from tests.home import ROOT
from training.dataset import accept_table
from training.pipeline import read_contract
from training.progress import Silent
from training.search import fit_best, search

HORIZON = pd.Timedelta(days=90)


def _table(events: pd.DataFrame, snapshot: pd.Timestamp) -> pd.DataFrame:
    """Build one row a customer from what happened before the snapshot; only the label looks beyond it."""
    before = events[events.InvoiceDate < snapshot]
    bought = before[~before.InvoiceNo.str.startswith("C") & (before.Quantity > 0)]
    recent = bought[bought.InvoiceDate >= snapshot - HORIZON]
    baskets = bought.groupby(["CustomerID", "InvoiceNo"]).agg(when=("InvoiceDate", "min"), value=("value", "sum"))
    each = baskets.groupby("CustomerID")
    gaps = baskets.reset_index().sort_values("when").groupby("CustomerID").when.diff().dt.total_seconds() / 86400
    gap = gaps.groupby(baskets.reset_index().sort_values("when").CustomerID).median()
    lines = before.groupby("CustomerID").size()
    returned = before[before.InvoiceNo.str.startswith("C")].groupby("CustomerID").size()
    after = events[(events.InvoiceDate >= snapshot) & (events.InvoiceDate < snapshot + HORIZON)]
    table = pd.DataFrame(
        {
            "recency_days": (snapshot - each.when.max()).dt.total_seconds() / 86400,
            "tenure_days": (snapshot - each.when.min()).dt.total_seconds() / 86400,
            "orders": each.size(),
            "orders_90d": recent.groupby("CustomerID").InvoiceNo.nunique(),
            "spend": each.value.sum(),
            "spend_90d": recent.groupby("CustomerID").value.sum(),
            "mean_basket": each.value.mean(),
            "products": bought.groupby("CustomerID").StockCode.nunique(),
            "gap_days": gap,
            "returned_share": returned / lines,
            "country": bought.groupby("CustomerID").Country.last(),
        }
    ).reindex(each.size().index)
    table = table.fillna({"orders_90d": 0, "spend_90d": 0.0, "returned_share": 0.0})
    bought_again = after[~after.InvoiceNo.str.startswith("C")].CustomerID.unique()
    table["lapsed"] = ~table.index.isin(bought_again)
    table.insert(0, "customer_id", table.index.astype(int).astype(str))
    return table


@pytest.fixture(scope="module")
def events(shared_data: Path) -> pd.DataFrame:
    found = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet")
    found["InvoiceNo"] = found.InvoiceNo.astype(str)
    found["value"] = found.Quantity * found.UnitPrice
    return found[found.CustomerID.notna()]


@pytest.mark.real_data
def test_the_contract_fits_and_a_later_snapshot_is_predicted(events: pd.DataFrame) -> None:
    contract, _ = read_contract(ROOT / "training" / "contracts" / "online_retail.toml")
    last = events.InvoiceDate.max().normalize() - HORIZON
    parts = [
        accept_table(
            contract, pa.Table.from_pandas(_table(events, when), preserve_index=False), labelled=True, source="s"
        )
        for when in (last - HORIZON, last)
    ]
    earlier, later = parts
    assert earlier.labels is not None
    assert later.labels is not None
    assert later.rows > 3_000
    found = search(earlier.inputs, earlier.labels, seconds=None, seed=0, progress=Silent())
    model = fit_best(earlier.inputs, earlier.labels, found, 0)
    auc = roc_auc_score(later.labels, model.probability(later.inputs))
    assert auc >= contract.gates.min_auc, auc
    assert np.isfinite(auc)
