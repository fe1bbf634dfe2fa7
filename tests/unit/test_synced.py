"""A file takes another's place whole and on the disk, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from ebb.synced import replaced, write_synced


def test_what_was_written_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for text in ("old", "new"):
        with replaced(path) as partial:
            assert partial.parent == tmp_path
            partial.write_text(text)
        assert path.read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_failed_leaves_the_old_file_alone(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(type(error)), replaced(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


def test_it_counts_only_when_the_disk_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "state", []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    with replaced(path) as partial:
        name = partial.name
    assert seen == [(name, False), (tmp_path.name, True)]


def test_a_private_file_is_private_from_the_first_byte(tmp_path: Path) -> None:
    with replaced(tmp_path / "state", 0o600) as partial:
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    write_synced(tmp_path / "key", b"secret", 0o600)
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in tmp_path.iterdir()] == [0o600, 0o600]
    assert (tmp_path / "key").read_bytes() == b"secret"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replaced(tmp_path / "none" / "file"):
        pytest.fail("nothing can be written there")
