"""What every store of releases promises of its roles: the folder and the fake, by the same tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from ebb.folder_lines import previous_lines, remember
from ebb.ports import ReleaseStore
from tests.fakes.routing import MemoryReleases
from tests.releases_contract import A, B, C, D, LastingReleasesContract, ReleasesContract, filled, roles

STORES: dict[str, Callable[[Path], ReleaseStore]] = {"folder": FolderReleases, "fake": lambda _: MemoryReleases()}


class TestFolder(LastingReleasesContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ReleaseStore:
        return filled(FolderReleases(tmp_path))


class TestFake(ReleasesContract):
    @pytest.fixture
    def store(self) -> ReleaseStore:
        return filled(MemoryReleases())


MOVES = st.lists(st.tuples(st.sampled_from(["champion", "challenger"]), st.sampled_from([A, B, C, D])), max_size=12)


@given(MOVES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_folder_and_fake_agree_after_every_move(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str]]
) -> None:
    both = [filled(make(tmp_path_factory.mktemp("moves"))) for make in STORES.values()]
    for role, name in moves:
        for each in both:
            (each.set_champion if role == "champion" else each.set_challenger)("tiny", name)
        assert roles(both[0]) == roles(both[1])


def test_what_was_written_before_a_kill_means_nothing_yet(tmp_path: Path) -> None:
    """The line of the coming champion is on the disk, its name is not: nothing has happened."""
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    remember(tmp_path / "tiny", B, C)
    assert roles(store) == (B, A, None)
    store.set_champion("tiny", D)
    assert roles(store) == (D, B, None)


def test_a_challenger_whose_file_outlived_a_kill_waits_no_more(tmp_path: Path) -> None:
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    (tmp_path / "tiny" / "challenger").write_text(f"{B}\n")
    assert roles(store) == (B, A, None)
    store.set_champion("tiny", C)
    assert roles(store) == (C, B, None)
    assert not (tmp_path / "tiny" / "challenger").exists()


def test_a_champion_that_somebody_wrote_by_hand_has_nobody_before(tmp_path: Path) -> None:
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    (tmp_path / "tiny" / "champion").write_text(D)
    assert roles(store) == (D, None, None)


@pytest.mark.parametrize("content", [b"\xff", b"latest", f"{A}\n".encode(), f"{A} before {B}\nand more\n".encode()])
def test_a_damaged_memory_is_told_and_stops_no_promotion(tmp_path: Path, content: bytes) -> None:
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    (tmp_path / "tiny" / "previous").write_bytes(content)
    with pytest.raises(ReleaseError, match="previous"):
        store.previous("tiny")
    store.set_champion("tiny", B)
    assert roles(store) == (B, A, None)


def test_a_damaged_champion_stops_no_promotion(tmp_path: Path) -> None:
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    (tmp_path / "tiny" / "champion").write_text("latest")
    store.set_champion("tiny", B)
    assert roles(store) == (B, None, None)


@pytest.mark.parametrize("failing", [1, 3])
def test_a_full_disk_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """Each file costs two waits for the disk: the first file's or the second's fails."""
    store = filled(FolderReleases(tmp_path))
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    calls: list[int] = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ReleaseError, match="could not be named: No space left on device"):
            store.set_champion("tiny", C)
    assert roles(store) == (B, A, None)
    assert not list((tmp_path / "tiny").glob(".*"))


def test_nobody_remembers_themselves_or_nobody(tmp_path: Path) -> None:
    remember(tmp_path, None, A)
    remember(tmp_path, A, A)
    assert previous_lines(tmp_path).read() == {}
    assert list(tmp_path.iterdir()) == []
