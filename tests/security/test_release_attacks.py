"""Release folders that lie: no path leaves the store, no altered or misnamed release serves, every refusal is one."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import load_champion, load_contract
from local.serving.release import find_release
from tests.fakes.contracts import TEXT, tiny_contract
from tests.fakes.releases import tiny_release, version_in, with_manifest

FILES = tiny_release()
VERSION = version_in(FILES)


@pytest.fixture
def store(tmp_path: Path) -> FolderReleases:
    return published(tmp_path / "releases", FILES)


def published(root: Path, files: dict[str, bytes]) -> FolderReleases:
    store = FolderReleases(root)
    version = version_in(files)
    store.write("tiny", version, files)
    store.set_champion("tiny", version)
    return store


def serve(store: FolderReleases) -> str:
    """Load what serves; the records function must come to the same answer as the prediction function."""
    try:
        load_contract(store, "tiny")
    except (NoRelease, ReleaseError):
        with pytest.raises(ReleaseError):
            load_champion(store, "tiny", OnnxScorer)
        raise
    return load_champion(store, "tiny", OnnxScorer).name


def other_folder(root: Path) -> None:
    shutil.copytree(root / "tiny" / VERSION, root / "other" / VERSION)
    (root / "tiny" / "champion").write_text(f"../other/{VERSION}\n")


def outside(root: Path) -> None:
    shutil.copytree(root / "tiny" / VERSION, root.parent / VERSION)
    (root / "tiny" / "champion").write_text(f"../../{VERSION}\n")


def folder_for_file(root: Path) -> None:
    (root / "tiny" / "champion").unlink()
    (root / "tiny" / "champion").mkdir()


def loop(root: Path) -> None:
    (root / "tiny" / "champion").unlink()
    (root / "tiny" / "champion").symlink_to("champion")


@pytest.mark.parametrize(
    "attack",
    [
        b"../other",
        b"/etc/passwd",
        b"a\0b",
        b"\xff\xfe",
        b".",
        b"a" * 5_000,
        VERSION.upper().encode(),
        f"{VERSION}\n{VERSION}".encode(),
        f"{VERSION}/../{VERSION}".encode(),
        other_folder,
        outside,
        folder_for_file,
        loop,
    ],
)
def test_a_champion_file_names_a_version_or_nothing(
    store: FolderReleases, tmp_path: Path, attack: bytes | Callable[[Path], None]
) -> None:
    root = tmp_path / "releases"
    if isinstance(attack, bytes):
        (root / "tiny" / "champion").write_bytes(attack)
    else:
        attack(root)
    with pytest.raises(ReleaseError, match="champion"):
        serve(store)


def test_a_renamed_release_is_not_served_under_its_new_name(store: FolderReleases, tmp_path: Path) -> None:
    folder = tmp_path / "releases" / "tiny"
    (folder / VERSION).rename(folder / ("0" * 12))
    store.set_champion("tiny", "0" * 12)
    with pytest.raises(ReleaseError, match=f"is really tiny/{VERSION}"):
        serve(store)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a\0b", "x" * 300, "UPPER", "a\n", ".hidden"])
def test_no_name_becomes_a_path(store: FolderReleases, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for call in (store.champion, store.versions):
        with pytest.raises(ReleaseError, match="not the name of a contract"):
            call(name)
    for contract, version in ((name, VERSION), ("tiny", name)):
        with pytest.raises(ReleaseError, match="is not the"):
            store.write(contract, version, FILES)
        with pytest.raises(ReleaseError, match="is not the"):
            store.read(contract, version)
    with pytest.raises((ReleaseError, NoRelease)):
        store.set_champion("tiny", name)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"files": None},
        {"files": "x"},
        {"files": {"model.onnx": 1}},
        {"files": {}},
        {"contract": 1},
        {"contract": ["tiny"]},
        {"contract": "../tiny"},
        {"version": None},
        {"version": "../x"},
        {"created": 5},
        {"libraries": "x"},
        {"instruction_set": [1]},
        {"run_id": None},
        {"unknown": 1},
    ],
    ids=repr,
)
def test_a_manifest_of_other_types_is_refused(store: FolderReleases, tmp_path: Path, changes: dict[str, Any]) -> None:
    document = json.loads(FILES[m.MANIFEST]) | changes
    (tmp_path / "releases" / "tiny" / VERSION / m.MANIFEST).write_text(json.dumps(document))
    with pytest.raises(ReleaseError):
        serve(store)


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'"x"', b"[" * 100_000, b"\xff\xfe", b"1" * 5_000, b"{}"])
@pytest.mark.parametrize("name", [m.MANIFEST, m.REFERENCE, m.GOLDEN])
def test_json_that_is_not_ebbs_is_refused_also_when_its_sums_are_right(
    tmp_path: Path, name: str, content: bytes
) -> None:
    files = {each: FILES[each] for each in m.FILES} | ({} if name == m.MANIFEST else {name: content})
    files = with_manifest(files, tiny_contract()) | {name: content}
    with pytest.raises(ReleaseError):
        load_champion(published(tmp_path, files), "tiny", OnnxScorer)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace('name = "tiny"', 'name = "other"', 1),
        TEXT + '\n[[features]]\nname = "more"\nkind = "number"\nmissing = true\n',
        TEXT.replace('name = "spend"', 'name = "spent"'),
    ],
)
def test_a_contract_that_does_not_fit_the_rest_is_refused(tmp_path: Path, text: str) -> None:
    files = {each: FILES[each] for each in m.FILES} | {m.CONTRACT: text.encode()}
    store = published(tmp_path, with_manifest(files, tiny_contract()))
    with pytest.raises(ReleaseError):
        load_champion(store, "tiny", OnnxScorer)


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_a_file_that_is_something_else_never_blocks_and_never_passes(
    store: FolderReleases, tmp_path: Path, kind: str
) -> None:
    card = tmp_path / "releases" / "tiny" / VERSION / m.CARD
    card.unlink()
    if kind == "pipe":
        os.mkfifo(card)
    elif kind == "folder":
        card.mkdir()
    else:
        card.symlink_to("/etc/hostname" if kind == "link" else "nowhere")
    with pytest.raises(ReleaseError, match=m.CARD):
        serve(store)


def test_many_writers_leave_one_whole_release(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path)
    threads = [threading.Thread(target=lambda: published(tmp_path, FILES)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(p.name for p in (tmp_path / "tiny").iterdir()) == [VERSION, "champion"]
    assert serve(store) == f"tiny/{VERSION}"


def test_a_release_is_found_by_relative_names(
    store: FolderReleases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "releases" / "tiny" / VERSION)
    for where in (".", "..", f"../../tiny/{VERSION}"):
        assert find_release(Path(where)).contract == "tiny"
    assert serve(store) == f"tiny/{VERSION}"
