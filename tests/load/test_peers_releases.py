"""The releases that growth and memory are measured with: real ones, that load and serve."""

from pathlib import Path

import numpy as np
import pytest

from ebb.features.inputs import Inputs
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion, load_release
from tests.fakes.releases import tiny_release, version_in
from tests.home import Home
from tests.load.peers.bench import runnable
from tests.load.peers.case import case_of
from tests.load.peers.copies import write_copies, write_table
from tests.load.peers.growth import _growth
from tests.load.peers.known import PEERS
from tests.load.peers.wide import ENTITIES, write_wide
from training.dataset import read_dataset


@pytest.mark.parametrize("features", [1, 10, 200])
def test_a_wide_release_loads_and_uses_every_feature(tmp_path: Path, features: int) -> None:
    entities = write_wide(tmp_path, features)
    release = load_champion(FolderReleases(tmp_path / "releases"), f"wide{features}", OnnxScorer)
    assert len(release.contract.features) == features
    dataset = read_dataset(tmp_path / "data/customers.parquet", release.contract, labelled=False)
    assert list(dataset.entity_ids) == entities
    assert dataset.rows == ENTITIES
    rows, none = dataset.inputs, np.zeros((1, 0), object)
    before = release.scorer.score(rows.rows(slice(0, 1)))
    for column in range(min(features, 10)):
        if features > 1 and abs(2 * column / (features - 1) - 1) < 0.05:
            continue  # its weight is next to nothing
        changed = rows.numbers[:1].copy()
        changed[0, column] += 100.0
        assert release.scorer.score(Inputs(changed, none)) != before
    missing = np.full((1, features), np.nan, np.float32)
    assert release.scorer.score(Inputs(missing, none)) == pytest.approx(0.5)


@pytest.mark.parametrize("count", [1, 5, 20])
def test_copies_are_releases_of_their_own_under_one_table(tmp_path: Path, count: int) -> None:
    files = tiny_release()
    source = FolderReleases(tmp_path / "source")
    source.write("tiny", version_in(files), files)
    versions = write_copies(tmp_path / "source", "tiny", version_in(files), count, tmp_path / "copies")
    store = FolderReleases(tmp_path / "copies")
    assert sorted(versions) == store.versions("tiny")
    assert len(set(versions)) == count
    for version in versions:
        assert load_release(store, "tiny", version, OnnxScorer).manifest.version == version
    write_table(tmp_path / "routing", "tiny", versions)
    table = FolderRouting(tmp_path / "routing").latest("tiny")
    assert table is not None
    assert table.releases == tuple(versions)
    assert sum(challenger.weight for challenger in table.challengers) == pytest.approx(
        0.9 if count > 1 else 0, abs=0.01
    )


def test_the_case_is_what_the_champion_answers(trained: Home) -> None:
    case = case_of(trained)
    assert len(case.entity_ids) == len(set(case.entity_ids)) == len(case.inputs) == 1_000
    assert not np.isnan(case.inputs.numbers).any()
    assert OnnxScorer(case.model.read_bytes()).score(case.inputs).tobytes() == case.expected.tobytes()
    assert np.array_equal(np.array(case.numbers(7), np.float32), case.inputs.numbers[7])


def test_growth_is_the_exponent_of_the_last_step() -> None:
    assert _growth("x", {10: 5.0, 200: 100.0, 1_000: 500.0}).measured == pytest.approx(1.0)
    quadratic = _growth("x", {1: 1.0, 5: 25.0, 20: 400.0})
    assert quadratic.measured == pytest.approx(2.0)
    assert not quadratic.tolerable
    assert _growth("x", {1: 300.0, 20: 300.0}).tolerable


def test_who_cannot_be_held_to_loopback_is_left_out_with_a_word() -> None:
    able, left_out = runnable(list(PEERS))
    assert len(able) + len(left_out) == len(PEERS)
    assert not runnable([peer for peer in PEERS if not peer.own_network])[1]
    assert all("Ray Serve was left out" in sentence for sentence in left_out)
