"""Which rows a training may learn from, and which reference says whether they have moved."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.contract import Contract, parse_contract
from ebb.errors import DataError
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from ebb.release.reference import Reference, make_reference
from tests.fakes.contracts import TEXT, tiny_contract
from tests.fakes.made_contracts import contract_of
from tests.fakes.releases import tiny_release, version_in, with_manifest
from tests.fakes.tiny_customers import customers
from training.admission import _reference, admit
from training.dataset import accept_table
from training.progress import Silent
from training.steps import Steps
from training.validation.docs import PAGE


def crowned(folder: Path, text: str = TEXT) -> FolderReleases:
    """Write a champion whose reference was made of 2,000 customers."""
    contract = parse_contract(text)
    data = accept_table(contract, pa.table(customers(2_000, 1)), labelled=True, source="t")
    assert data.labels is not None
    reference = make_reference(contract, data.inputs, data.labels, np.full(data.rows, 0.3, np.float32))
    files = {name: content for name, content in tiny_release(text=text).items() if name != m.MANIFEST}
    files = with_manifest({**files, m.REFERENCE: reference.to_bytes()}, contract)
    store = FolderReleases(folder)
    store.write(contract.name, version_in(files), files)
    store.set_champion(contract.name, version_in(files))
    return store


def admitted(folder: Path, columns: dict[str, Any], contract: Contract | None = None) -> tuple[list[str], list[str]]:
    """Admit a table; return the notes and the names of the docs."""
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    steps = Steps(Silent())
    data, docs = admit(steps, contract or tiny_contract(), path, FolderReleases(folder / "releases"))
    assert len(data.labels) == len(next(iter(columns.values())))
    assert set(steps.timings) == {"read", "validate"}
    return steps.notes, list(docs)


def test_without_a_champion_nothing_has_moved(tmp_path: Path) -> None:
    assert _reference(FolderReleases(tmp_path / "releases"), tiny_contract()) is None


def test_the_champions_reference_is_the_one(tmp_path: Path) -> None:
    found = _reference(crowned(tmp_path / "releases"), tiny_contract())
    assert isinstance(found, Reference)
    assert found.rows == 2_000
    assert set(found.features) == {feature.name for feature in tiny_contract().features}


def test_a_champion_of_other_features_says_nothing_of_drift(tmp_path: Path) -> None:
    store = crowned(tmp_path / "releases")
    other = parse_contract(TEXT.replace('name = "city"', 'name = "town"\ncolumn = "city"'))
    assert [f.name for f in other.features] != [f.name for f in tiny_contract().features]
    assert _reference(store, other) is None


@pytest.mark.parametrize("name", [m.REFERENCE, m.CONTRACT, m.MANIFEST])
@pytest.mark.parametrize("how", ["altered", "gone"])
def test_a_champion_that_is_not_whole_says_nothing_of_drift(tmp_path: Path, name: str, how: str) -> None:
    """Training is what mends it, so it must not stop there."""
    store = crowned(tmp_path / "releases")
    (file,) = (tmp_path / "releases").rglob(name)
    file.chmod(0o644)
    file.parent.chmod(0o755)
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-2] + b" x")
    assert _reference(store, tiny_contract()) is None


def test_rows_like_the_champions_are_admitted_without_a_word_of_drift(tmp_path: Path) -> None:
    crowned(tmp_path / "releases")
    notes, docs = admitted(tmp_path, customers(1_500, 2))
    assert not [note for note in notes if "moved" in note]
    assert docs == [PAGE]


def test_rows_that_have_moved_are_admitted_and_told(tmp_path: Path) -> None:
    crowned(tmp_path / "releases")
    notes, _ = admitted(tmp_path, customers(1_500, 2, spend=40.0))
    (told,) = [note for note in notes if "moved" in note]
    assert told.startswith("column 'Monthly  spend' has moved against the reference: PSI ")
    assert "chance explains at most" in told


def test_a_leak_is_told_as_a_warning(tmp_path: Path) -> None:
    columns = customers(1_000, 3)
    columns["tenure"] = np.where(np.array(columns["left"]) == "yes", 1, 50)
    notes, _ = admitted(tmp_path, columns)
    (told,) = [note for note in notes if "leak" in note]
    assert told.startswith("warning: column 'tenure' alone predicts the label (out-of-fold AUC 1.000); leak?")


def test_what_is_critical_is_not_learned_from(tmp_path: Path) -> None:
    columns = customers(400, 4)
    columns["left"] = ["yes"] * 12 + ["no"] * 388
    with pytest.raises(DataError, match="the data cannot be trained on: column 'left' has only 12 positive rows"):
        admitted(tmp_path, columns)


@pytest.mark.parametrize(("temporal", "told"), [(False, "none stands in two folds"), (True, "several spans of time")])
def test_entities_of_several_rows_are_told_with_what_folds_do(tmp_path: Path, *, temporal: bool, told: str) -> None:
    from dataclasses import replace  # noqa: PLC0415 - of this one

    contract = contract_of('name = "x"; kind = "number"', entity="id", event_time="at")
    random = np.random.default_rng(5)
    columns = {
        "id": [f"e{i // 3}" for i in range(600)],
        "at": 1.6e9 + np.arange(600.0),
        "x": random.random(600),
        "y": random.integers(0, 2, 600),
    }
    notes, _ = admitted(tmp_path, columns, replace(contract, temporal=temporal))
    assert [note for note in notes if told in note] == [
        next(note for note in notes if note.startswith("600 rows of 200 entities"))
    ]
