"""What lies in a job's inputs is found, or it is said what is there instead."""

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import DataError, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from tests.fakes.releases import tiny_release
from training.jobs.channels import ARCHIVE, contract_of, release_of, releases_of, table_of


def filled(folder: Path, *names: str) -> Path:
    """Make a folder of empty files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def release(root: Path, role: str = "champion") -> str:
    """Write the tiny release and give it a role."""
    files = tiny_release()
    store, version = FolderReleases(root), m.version_of(files)
    store.write("tiny", version, files)
    if role == "champion":
        store.set_champion("tiny", version)
    elif role == "challenger":
        store.set_challenger("tiny", version)
    return version


def archived(folder: Path, channel: Path) -> Path:
    """Pack a folder as SageMaker packs a model folder."""
    channel.mkdir()
    with tarfile.open(channel / ARCHIVE, "w:gz") as file:
        for path in sorted(folder.iterdir()):
            file.add(path, path.name)
    return channel


def test_the_one_contract_with_its_sql_beside_it(tmp_path: Path) -> None:
    assert contract_of(filled(tmp_path, "churn.toml", "orders.sql")).name == "churn.toml"


@pytest.mark.parametrize(("names", "there"), [((), "none"), (("a.toml", "b.toml"), "a.toml, b.toml")])
def test_no_contract_or_two_are_refused(tmp_path: Path, names: tuple[str, ...], there: str) -> None:
    with pytest.raises(DataError, match=f"must hold exactly one contract .*, but there is {there}"):
        contract_of(filled(tmp_path, *names))


def test_one_table_is_the_file_and_many_parquet_files_are_the_folder(tmp_path: Path) -> None:
    one, many = filled(tmp_path / "one", "t.csv", "_SUCCESS"), filled(tmp_path / "many", "a.parquet", "m=1/b.parquet")
    assert table_of(one) == one / "t.csv"
    assert table_of(many) == many


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv"), ("a.csv", "b.parquet"), ("notes.txt",)])
def test_what_is_no_one_table_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="must hold exactly one csv or parquet table"):
        table_of(filled(tmp_path, *names))


@pytest.mark.parametrize("role", ["champion", "challenger", "none"])
def test_a_release_is_loaded_from_a_folder_or_from_an_archive(tmp_path: Path, role: str) -> None:
    version = release(tmp_path / "releases", role)
    assert release_of(tmp_path / "releases", tmp_path).manifest.version == version
    channel = archived(tmp_path / "releases", tmp_path / "archived")
    assert release_of(channel, tmp_path / "work").manifest.version == version


def test_an_input_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match=r"holds no release: give it a folder of releases, or a model\.tar\.gz"):
        releases_of(tmp_path, tmp_path / "work")


def test_releases_of_two_contracts_are_refused(tmp_path: Path) -> None:
    version = release(tmp_path)
    FolderReleases(tmp_path).write("other", version, tiny_release())
    with pytest.raises(ReleaseError, match="holds releases of other, tiny: give it those of one"):
        releases_of(tmp_path, tmp_path / "work")


def test_an_altered_release_is_refused(tmp_path: Path) -> None:
    version = release(tmp_path)
    (tmp_path / "tiny" / version / m.GOLDEN).write_bytes(b"{}")
    with pytest.raises(ReleaseError, match=r"the sha256 of golden\.jsonl is not the manifest's"):
        release_of(tmp_path, tmp_path / "work")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_a_damaged_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ARCHIVE).write_bytes(content)
    with pytest.raises(ReleaseError, match=r"model\.tar\.gz cannot be unpacked"):
        releases_of(tmp_path, tmp_path / "work")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(min_value=0, max_value=1, exclude_max=True), change=st.integers(1, 255))
def test_an_archive_with_one_byte_changed_is_whole_or_refused(tmp_path: Path, place: float, change: int) -> None:
    if not (tmp_path / "in").exists():
        release(tmp_path / "releases")
        archived(tmp_path / "releases", tmp_path / "in")
        (tmp_path / "good").write_bytes((tmp_path / "in" / ARCHIVE).read_bytes())
    content = bytearray((tmp_path / "good").read_bytes())
    content[int(place * len(content))] ^= change
    (tmp_path / "in" / ARCHIVE).write_bytes(content)
    with TemporaryDirectory(dir=tmp_path) as work:
        try:
            found = release_of(tmp_path / "in", Path(work))
        except ReleaseError as refused:
            assert str(refused)
        else:
            assert found.name == f"tiny/{m.version_of(tiny_release())}"


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-everything"])  # noqa: S108 - never written
def test_an_archive_that_reaches_outside_is_refused_or_kept_inside(tmp_path: Path, name: str) -> None:
    channel = tmp_path / "in"
    channel.mkdir()
    with tarfile.open(channel / ARCHIVE, "w:gz") as file:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        file.addfile(entry, io.BytesIO(b"evil"))
    with pytest.raises(ReleaseError):
        releases_of(channel, tmp_path / "work")
    assert not (tmp_path / "outside").exists()
    assert not Path(name).exists()
