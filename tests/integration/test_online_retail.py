"""From a web shop's raw transactions to a judged model; pandas is the oracle that the SQL must equal."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from tests.fakes.searched import searched
from tests.home import ROOT
from training.dataset import Dataset, read_dataset
from training.events import Built, build_table
from training.pipeline import TrainOptions, read_contract, train
from training.progress import Silent
from training.search import SHIPPED, Budget, fit_best

CONTRACT = ROOT / "training" / "contracts" / "online_retail.toml"
HORIZON = pd.Timedelta(days=90)
PROMISED = 0.73
"""AUC on a snapshot that is later than all that was learned from."""
EARLIER, LATER = datetime(2011, 6, 12, tzinfo=UTC), datetime(2011, 9, 10, tzinfo=UTC)
pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def transactions(shared_data: Path) -> Path:
    return shared_data / "online_retail" / "online_retail.parquet"


def _by_pandas(path: Path, snapshot: pd.Timestamp) -> pd.DataFrame:
    """Build one row a customer from what happened before the snapshot; only the label looks beyond it."""
    events = pd.read_parquet(path)
    events = events[events.CustomerID.notna()].assign(value=events.Quantity * events.UnitPrice)
    ordered = ~events.InvoiceNo.str.startswith("C") & (events.Quantity > 0)
    before = events[events.InvoiceDate < snapshot]
    bought = before[ordered[before.index]]
    recent = bought[bought.InvoiceDate >= snapshot - HORIZON]
    baskets = bought.groupby(["CustomerID", "InvoiceNo"]).agg(when=("InvoiceDate", "min"), value=("value", "sum"))
    each = baskets.groupby("CustomerID")
    gaps = baskets.reset_index().sort_values("when").groupby("CustomerID").when.diff().dt.total_seconds() / 86400
    gap = gaps.groupby(baskets.reset_index().sort_values("when").CustomerID).median()
    lines = before.groupby("CustomerID").size()
    returned = before[before.InvoiceNo.str.startswith("C")].groupby("CustomerID").size()
    after = events[ordered & (events.InvoiceDate >= snapshot) & (events.InvoiceDate < snapshot + HORIZON)]
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
    table["lapsed"] = ~table.index.isin(after.CustomerID.unique())
    table.index = table.index.astype(int).astype(str)
    return table.sort_index()


def _build(transactions: Path, moments: list[datetime], out: Path) -> Built:
    return build_table(CONTRACT, transactions, moments, out, labelled=True)


@pytest.mark.parametrize("snapshot", [EARLIER, LATER, datetime(2011, 4, 4, 11, 37, tzinfo=UTC)], ids=str)
def test_the_sql_equals_pandas(transactions: Path, tmp_path: Path, snapshot: datetime) -> None:
    expected = _by_pandas(transactions, pd.Timestamp(snapshot).tz_localize(None))
    built = pq.read_table(_build(transactions, [snapshot], tmp_path / "t.parquet").out).to_pandas()
    assert (built.pop("snapshot_time") == snapshot).all()
    built = built.set_index("customer_id")
    assert built.index.tolist() == expected.index.tolist()
    assert len(built) > 2_000
    for column in expected:
        if column in {"country", "lapsed"}:
            assert built[column].tolist() == expected[column].tolist()
        else:
            np.testing.assert_allclose(built[column].astype(float), expected[column], rtol=1e-9, atol=1e-9)


def _accepted(transactions: Path, moments: list[datetime], out: Path) -> Dataset:
    contract, _ = read_contract(CONTRACT)
    return read_dataset(_build(transactions, moments, out).out, contract)


def _auc(train: Dataset, judge: Dataset) -> float:
    assert train.labels is not None
    assert judge.labels is not None
    found = searched(train.inputs, train.labels, SHIPPED, groups=train.groups)
    model = fit_best(train.inputs, train.labels, found, 0)
    return float(roc_auc_score(judge.labels, model.probability(judge.inputs)))


def test_a_later_snapshot_is_predicted_from_an_earlier_one_and_from_several(transactions: Path, tmp_path: Path) -> None:
    earlier = _accepted(transactions, [EARLIER], tmp_path / "earlier.parquet")
    later = _accepted(transactions, [LATER], tmp_path / "later.parquet")
    assert later.rows > 3_000
    several = [datetime(2011, month, 12, tzinfo=UTC) for month in (3, 4, 5, 6)]
    more = _accepted(transactions, several, tmp_path / "several.parquet")
    assert more.groups is not None
    assert more.rows > 2 * len(np.unique(more.groups))
    one, four = _auc(earlier, later), _auc(more, later)
    assert one >= PROMISED, one
    assert four >= PROMISED, four
    print(f"\nAUC on {LATER:%Y-%m-%d}: {one:.4f} from one snapshot, {four:.4f} from four")  # noqa: T201 - the figure


def test_a_release_is_trained_on_several_snapshots(transactions: Path, tmp_path: Path) -> None:
    built = _build(transactions, [EARLIER, LATER], tmp_path / "t.parquet")
    trained = train(CONTRACT, built.out, tmp_path / "releases", Silent(), TrainOptions(Budget(trials=1), cheap=False))
    rows = sum(built.rows.values())
    assert f"{rows:,} rows of {built.rows[LATER]:,} entities: none stands in two folds" in trained.notes
    assert trained.metrics["rows"] == rows
    assert trained.from_events
    assert (trained.folder / "contract.toml").read_bytes() == CONTRACT.read_bytes()


def test_what_duckdb_takes_for_all_transactions(transactions: Path, tmp_path: Path) -> None:
    started = time.perf_counter()
    built = _build(transactions, [LATER], tmp_path / "t.parquet")
    seconds = time.perf_counter() - started
    rows = pq.ParquetFile(transactions).metadata.num_rows
    print(f"\n{rows:,} transactions to {built.rows[LATER]:,} customers: {seconds:.2f} s, {built.seconds}")  # noqa: T201 - the figure
    assert seconds < 10
