"""From raw transactions to a scored customer: build, train, build again, up, score, down, as a user types them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.home import ROOT, Home

CONTRACT = str(ROOT / "training/contracts/online_retail.toml")
FIRST_DAY_WITHOUT_EVENTS = datetime(2011, 12, 10, tzinfo=UTC)
pytestmark = pytest.mark.real_data


@pytest.fixture
def home(tmp_path: Path, shared_data: Path) -> Home:
    """Transactions whose last day was yesterday, so that features are as fresh as the contract wants them."""
    events = pq.read_table(shared_data / "online_retail" / "online_retail.parquet")
    at = events.schema.get_field_index("InvoiceDate")
    moved = pc.add(events["InvoiceDate"], pa.scalar(_today() - FIRST_DAY_WITHOUT_EVENTS))
    pq.write_table(events.set_column(at, "InvoiceDate", moved), tmp_path / "transactions.parquet")
    return Home(tmp_path)


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _build(home: Home, at: str, out: str, *more: str) -> int:
    told = home.json(
        *("build", "--contract", CONTRACT, "--events", "transactions.parquet", "--at", at, "--out", out, *more)
    )
    rows: int = told["rows"]
    assert list(told["snapshots"].values()) == [rows]
    return rows


def test_transactions_become_a_served_release(home: Home) -> None:
    today = _today()
    assert _build(home, f"{today - timedelta(days=91):%Y-%m-%d}", "train.parquet", "--labelled") > 3_000
    trained = home.json("train", "--contract", CONTRACT, "--data", "train.parquet", "--out", "releases")
    assert trained["metrics"]["auc"] > 0.7
    assert _build(home, "latest", "now.parquet") > 4_000
    home.ok("up", "--release", "releases/online_retail", "--data", "now.parquet", "--port", "0", "--detach")
    try:
        answer = home.json("score", "17850", "--explain")
        assert answer["release"] == trained["release"]
        assert answer["degraded"] is False
        assert 0 < answer["probability"] < 1
        assert answer["reasons"]
        scored = home.json("score", "--data", "now.parquet", "--out", "scored.parquet")
        table = {row["customer_id"]: row for row in pq.read_table(home.folder / "scored.parquet").to_pylist()}
        assert scored["rows"] == len(table)
        assert table["17850"]["probability"] == answer["probability"]
    finally:
        home.ok("down")
