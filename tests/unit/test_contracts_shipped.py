"""The contracts that come with Ebb fit the tables they speak of, and say enough."""

import re
from pathlib import Path

import numpy as np
import pytest

from ebb.contract import Contract, Kind, Value, parse_contract
from ebb.decision import threshold
from ebb.rules import rules_score
from training.dataset import read_dataset
from training.synthesize import synthesize
from training.validation import CRITICAL, validate

FOLDER = Path(__file__).resolve().parents[2] / "training" / "contracts"


def shipped(name: str) -> Contract:
    return parse_contract((FOLDER / f"{name}.toml").read_text(), f"{name}.toml")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_contract_is_reviewed(path: Path) -> None:
    contract = parse_contract(path.read_text(), path.name)
    assert contract.name == path.stem
    assert contract.description
    assert not re.search(r"REVIEW|LEAK|TODO", path.read_text())
    assert 0 < threshold(contract.decision) < 0.5
    assert any(feature.protected for feature in contract.features)
    for feature in contract.features:
        assert feature.description, feature.name
        if feature.kind in {Kind.NUMBER, Kind.INTEGER}:
            assert feature.minimum is not None, feature.name
            assert feature.maximum is not None, feature.name


def test_the_synthetic_contract_fits_its_table(tmp_path: Path) -> None:
    contract = shipped("synthetic")
    data = read_dataset(synthesize(30_000, 0, tmp_path), contract)
    assert data.rows == 30_000
    assert data.notes == ()
    assert data.labels is not None
    assert 0.2 < data.labels.mean() < 0.3
    assert len(contract.features) == 30
    assert not [f for f in validate(contract, data, "t") if f.severity == CRITICAL or "leak" in f.reason]
    assert any(f.max_age and f.ttl for f in contract.features)
    assert {str(f.when_stale) for f in contract.features} == {"serve", "degrade", "refuse"}


def test_the_fallback_stays_within_reach() -> None:
    contract = shipped("synthetic")
    worst: dict[str, Value] = {"contract_term": "monthly", "tenure_months": 1, "satisfaction": 1.0, "price_rise": 0.2}
    assert 0 < rules_score(contract.rules, {"contract_term": "two years", "tenure_months": 90}) < 0.1
    assert 0.4 < rules_score(contract.rules, {**worst, "days_since_login": 30}) < 1


@pytest.mark.real_data
def test_telco_fits_its_raw_file(shared_data: Path) -> None:
    contract = shipped("telco")
    data = read_dataset(shared_data / "telco" / "Telco-Customer-Churn.csv", contract)
    assert data.rows == 7_043
    assert data.labels is not None
    assert int(data.labels.sum()) == 1_869
    assert data.notes == ()
    assert data.entity_ids[0] == "7590-VHVEG"
    total = [f.name for f in contract.numbers].index("TotalCharges")
    assert int(np.isnan(data.inputs.numbers[:, total]).sum()) == 11
    assert list(validate(contract, data, "telco")) == []


@pytest.mark.real_data
def test_iranian_fits_its_raw_file(shared_data: Path) -> None:
    contract = shipped("iranian")
    data = read_dataset(shared_data / "iranian" / "churn.csv", contract)
    assert data.rows == 3_150
    assert data.labels is not None
    assert int(data.labels.sum()) == 495
    assert "identical rows kept: 300" in data.notes
    assert data.entity_ids.tolist()[-1] == "3150"
    assert set(data.inputs.categories[:, 0]) == {"1", "2"}
    assert list(validate(contract, data, "iranian")) == []
