"""`ebb validate --reference` with a release's folder, and `ebb validate` on events: through the command."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.folder import FolderReleases
from ebb.release import manifest as m
from ebb.release.reference import make_reference
from local.cli import run
from tests.fakes.contracts import TEXT, tiny_contract
from tests.fakes.releases import tiny_release, version_in, with_manifest
from tests.fakes.tiny_customers import customers
from tests.home import ROOT
from training.contract_file import read_contract
from training.dataset import accept_table
from training.validation.suite import holds_events

EVENTS = ROOT / "training" / "contracts" / "synthetic_events.toml"


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Path, Path]:
    """Write the contract, and a release whose reference was made of 3,000 customers; return contract and release."""
    contract = tiny_contract()
    data = accept_table(contract, pa.table(customers(3_000, 1)), labelled=True, source="t")
    assert data.labels is not None
    reference = make_reference(contract, data.inputs, data.labels, np.full(3_000, 0.3, np.float32))
    files = {name: content for name, content in tiny_release().items() if name != m.MANIFEST}
    files = with_manifest({**files, m.REFERENCE: reference.to_bytes()}, contract)
    FolderReleases(tmp_path / "releases").write(contract.name, version_in(files), files)
    path = tmp_path / "tiny.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path, tmp_path / "releases" / contract.name / version_in(files)


def judged(data: Path, contract: Path, capsys: pytest.CaptureFixture[str], *more: object) -> tuple[int, dict[str, Any]]:
    code = run(["validate", str(data), "--contract", str(contract), "--json", *map(str, more)])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_a_table_like_the_releases_own_has_not_moved_and_a_dearer_one_has(
    tmp_path: Path, asked: tuple[Path, Path], capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    contract, release = asked
    told = {}
    for name, spend in (("same", 30.0), ("dearer", 36.0)):
        pq.write_table(pa.table(customers(2_000, 2, spend=spend)), tmp_path / f"{name}.parquet")
        code, told[name] = judged(tmp_path / f"{name}.parquet", contract, capsys, "--reference", release, engine)
        assert code == 0
    drifts = [e for e in told["same"]["expectations"] if e["expectation"].startswith("drift")]
    assert {e["column"] for e in drifts} == {"tenure", "Monthly  spend", "paperless", "plan", "city"}
    assert all(e["passed"] and 0 <= e["observed"] <= e["maximum"] for e in drifts)
    assert told["same"]["findings"] == []
    assert [f["column"] for f in told["dearer"]["findings"]] == ["Monthly  spend"]
    assert told["dearer"]["findings"][0]["severity"] == "warning"
    assert "has moved against the reference: PSI" in told["dearer"]["findings"][0]["reason"]


def test_without_a_reference_drift_is_not_judged(
    tmp_path: Path, asked: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.table(customers(500, 2, spend=99.0)), tmp_path / "t.parquet")
    code, told = judged(tmp_path / "t.parquet", asked[0], capsys)
    assert code == 0
    assert not [e for e in told["expectations"] if e["expectation"].startswith("drift")]


def test_a_reference_of_another_contract_or_of_nothing_is_a_sentence(
    tmp_path: Path, asked: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    contract, release = asked
    pq.write_table(pa.table(customers(100, 2)), tmp_path / "t.parquet")
    other = tmp_path / "other.toml"
    other.write_text(TEXT.replace('name = "tiny"', 'name = "other"', 1), encoding="utf-8")
    call = ["validate", str(tmp_path / "t.parquet"), "--contract"]
    assert run([*call, str(other), "--reference", str(release)]) != 0
    assert "is a release of 'tiny', but the contract is 'other'" in " ".join(capsys.readouterr().err.split())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run([*call, str(contract), "--reference", str(empty)]) != 0
    assert "ebb train" in capsys.readouterr().err


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "made"
    assert run(["synthesize", "--customers", "500", "--months", "14", "--workers", "1", "--out", str(folder)]) == 0
    return folder


def test_events_are_profiled_whole_and_old_ones_are_told(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = judged(world / "events", EVENTS, capsys)
    assert (code, told["engine"], told["critical"]) == (0, "profile", False)
    rows = sum(pq.read_metadata(file).num_rows for file in (world / "events").rglob("*.parquet"))
    assert told["rows"] == rows > 10_000
    assert {e["column"] for e in told["expectations"]} == {"customer_id", "happened_at"}
    assert [(f["severity"], f["column"]) for f in told["findings"]] == [("warning", "happened_at")]
    assert "`max_age` asks for rows since" in told["findings"][0]["reason"]


def test_after_events_comes_the_table_that_is_built_of_them(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(world / "events"), "--contract", str(EVENTS)]) == 0
    told = "".join(capsys.readouterr().out.split())
    assert "".join(f"ebb build --contract {EVENTS} --events {world / 'events'}".split()) in told


def test_events_of_the_future_and_without_their_moment_are_critical(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(next((world / "events").rglob("*.parquet")))
    place = table.schema.get_field_index("happened_at")
    future = pa.array([4_000_000_000_000_000] * table.num_rows, pa.timestamp("us")).cast(table.schema.field(place).type)
    pq.write_table(table.set_column(place, "happened_at", future), tmp_path / "future.parquet")
    code, told = judged(tmp_path / "future.parquet", EVENTS, capsys)
    assert code == 1
    assert told["findings"][0] == {
        "severity": "critical",
        "column": "happened_at",
        "reason": f"lies in the future in {table.num_rows:,} rows: seconds or milliseconds, which clock?",
        "count": table.num_rows,
    }
    empty = pa.nulls(table.num_rows, pa.timestamp("us"))
    pq.write_table(table.set_column(place, "happened_at", empty), tmp_path / "never.parquet")
    code, told = judged(tmp_path / "never.parquet", EVENTS, capsys)
    assert code == 1
    assert "is missing in every row: remove it from the contract" in [f["reason"] for f in told["findings"]]


def test_events_are_told_from_the_table_that_is_built_of_them() -> None:
    contract, _ = read_contract(EVENTS)
    features = [feature.column for feature in contract.features]
    events = ["customer_id", "happened_at", "kind", "age", "plan"]
    assert holds_events(contract, events)
    assert holds_events(contract, ["customer_id", "kind"])
    assert not holds_events(contract, ["customer_id", "snapshot_time", *features])
    assert not holds_events(contract, ["customer_id", "snapshot_time", "happened_at", *features[1:]])
    assert not holds_events(contract, [*events, "has_left"])
    assert not holds_events(contract, ["kind", "channel"])
    assert not holds_events(tiny_contract(), events)
