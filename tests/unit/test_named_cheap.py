"""The cheap release belongs to one champion: named at once, there whenever that one is, and never beside another."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.ports import ReleaseStore
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import MemoryReleases, version


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReleaseStore:
    return FolderReleases(tmp_path) if request.param == "folder" else MemoryReleases()


def _written(store: ReleaseStore, bias: float) -> str:
    files = tiny_release(bias)
    store.write("tiny", version_in(files), files)
    return version_in(files)


def test_nobody_is_named_at_first(store: ReleaseStore) -> None:
    assert store.cheap("tiny") is None
    _written(store, 0.0)
    assert (store.champion("tiny"), store.cheap("tiny")) == (None, None)


def test_it_belongs_to_one_champion_and_comes_and_goes_with_it(store: ReleaseStore) -> None:
    best, quick, newer, other = (_written(store, bias) for bias in (0.0, 1.0, 2.0, 3.0))
    store.set_champion("tiny", best)
    store.set_cheap("tiny", quick)
    assert (store.champion("tiny"), store.cheap("tiny")) == (best, quick)
    store.set_champion("tiny", newer)
    assert store.cheap("tiny") is None, "nobody made one for this champion"
    store.set_cheap("tiny", other)
    assert store.cheap("tiny") == other
    for champion, cheap in ((best, quick), (newer, other)):
        store.set_champion("tiny", champion)
        assert store.cheap("tiny") == cheap
    assert store.versions("tiny") == sorted([best, quick, newer, other])


def test_one_made_for_a_challenger_waits_with_it(store: ReleaseStore) -> None:
    best, quick, waiting, other = (_written(store, bias) for bias in (0.0, 1.0, 2.0, 3.0))
    store.set_champion("tiny", best)
    store.set_cheap("tiny", quick)
    store.set_challenger("tiny", waiting)
    store.set_cheap("tiny", other, waiting)
    assert store.cheap("tiny") == quick
    store.set_champion("tiny", waiting)
    assert store.cheap("tiny") == other


def test_without_a_champion_there_is_nobody_to_stand_beside(store: ReleaseStore) -> None:
    quick = _written(store, 1.0)
    with pytest.raises(NoRelease, match="tiny has no champion"):
        store.set_cheap("tiny", quick)
    assert store.cheap("tiny") is None


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("champion"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("cheap"), st.integers(0, 3), st.integers(0, 3)),
    ),
    max_size=12,
)


@given(MOVES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_folder_and_fake_agree_and_no_champion_ever_has_anothers(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int, int]]
) -> None:
    stores: list[ReleaseStore] = [FolderReleases(tmp_path_factory.mktemp("moves")), MemoryReleases()]
    pairs: dict[str, str] = {}
    for each in stores:
        for number in range(4):
            each.write("tiny", version(number), {"card.html": b"<!doctype html>"})
    for role, one, other in moves:
        for each in stores:
            if role == "champion":
                each.set_champion("tiny", version(one))
            else:
                each.set_cheap("tiny", version(one), version(other))
        if role == "cheap":
            pairs[version(other)] = version(one)
        champion = stores[0].champion("tiny")
        assert [each.cheap("tiny") for each in stores] == [pairs.get(champion or "")] * 2


def test_the_name_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    best, quick = _written(store, 0.0), _written(store, 1.0)
    store.set_cheap("tiny", quick, best)
    assert (tmp_path / "tiny" / "cheap").read_text() == f"{quick} beside {best}\n"
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == sorted([best, quick, "cheap"])


def test_what_is_not_there_cannot_be_named(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    best, quick = _written(store, 0.0), _written(store, 1.0)
    store.set_champion("tiny", best)
    store.set_cheap("tiny", quick)
    for absent in ("0" * 12, "", "cheap", "../tiny"):
        with pytest.raises(NoRelease, match="there is no release tiny/"):
            store.set_cheap("tiny", absent)
        with pytest.raises(NoRelease, match="there is no release tiny/"):
            store.set_cheap("tiny", quick, absent)
    assert store.cheap("tiny") == quick


def test_pairs_whose_releases_are_gone_are_forgotten(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    best, quick, newer, other = (_written(store, bias) for bias in (0.0, 1.0, 2.0, 3.0))
    store.set_cheap("tiny", quick, best)
    shutil.rmtree(tmp_path / "tiny" / quick)
    store.set_cheap("tiny", other, newer)
    assert (tmp_path / "tiny" / "cheap").read_text() == f"{other} beside {newer}\n"


@pytest.mark.parametrize("text", ["latest", "0" * 12, "../../etc", f"{'0' * 12} before {'1' * 12}"])
def test_a_file_that_names_nobody_is_refused_by_its_path_and_replaced(tmp_path: Path, text: str) -> None:
    store = FolderReleases(tmp_path)
    best, quick = _written(store, 0.0), _written(store, 1.0)
    store.set_champion("tiny", best)
    (tmp_path / "tiny" / "cheap").write_text(text)
    with pytest.raises(ReleaseError, match=r"tiny/cheap does not name releases .`VERSION beside VERSION`.: remove it"):
        store.cheap("tiny")
    store.set_cheap("tiny", quick)
    assert store.cheap("tiny") == quick


def test_an_empty_file_names_nobody(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    store.set_champion("tiny", _written(store, 0.0))
    (tmp_path / "tiny" / "cheap").write_text("\n")
    assert store.cheap("tiny") is None


def test_what_cannot_be_read_or_written_says_which_release(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    best, quick = _written(store, 0.0), _written(store, 1.0)
    store.set_champion("tiny", best)
    (tmp_path / "tiny" / "cheap").mkdir()
    with pytest.raises(ReleaseError, match="the cheap release of tiny cannot be read"):
        store.cheap("tiny")
    with pytest.raises(ReleaseError, match="the cheap release of tiny could not be named"):
        store.set_cheap("tiny", quick)
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == sorted([best, quick, "champion", "cheap"])
