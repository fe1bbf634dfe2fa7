"""A release proves itself before anything of it is used, and is written whole or not at all."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from ebb.errors import NoRelease, ReleaseError
from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.golden import golden_from_bytes, golden_to_bytes, instruction_set
from ebb.release.load import load_champion, load_release
from ebb.release.reference import Reference
from ebb.serving.contracts import only_contract
from tests.fakes.contracts import ROW, TEXT, tiny_contract
from tests.fakes.releases import tiny_model, tiny_release, with_manifest


@pytest.fixture
def files() -> dict[str, bytes]:
    return tiny_release()


@pytest.fixture
def store(tmp_path: Path, files: dict[str, bytes]) -> FolderReleases:
    folder = FolderReleases(tmp_path)
    folder.write("tiny", m.version_of(files), files)
    folder.set_champion("tiny", m.version_of(files))
    return folder


def test_a_release_loads_and_scores(store: FolderReleases) -> None:
    release = load_champion(store, "tiny", OnnxScorer)
    assert release.name == f"tiny/{release.manifest.version}"
    row = encode(release.contract, [accept_row(release.contract, ROW)])
    expected = 1 / (1 + np.exp(-(5 * -0.05 + 20.5 * 0.02 + 0.4 + 1)))
    assert release.scorer.score(row)[0] == pytest.approx(expected, abs=1e-6)
    assert release.sha256 == m.digest(release.manifest.to_bytes())


def test_releases_of_one_contract_share_it_and_others_do_not(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path / "releases")
    contracts = []
    for bias, text in ((0.0, TEXT), (1.0, TEXT), (2.0, TEXT + "# reviewed\n")):
        files = tiny_release(bias, text)
        store.write("tiny", m.version_of(files), files)
        contracts.append(load_release(store, "tiny", m.version_of(files), OnnxScorer).contract)
    assert contracts[0] is contracts[1] is not contracts[2]
    assert contracts[1] == contracts[2]


def test_the_version_follows_the_content_and_nothing_else(files: dict[str, bytes]) -> None:
    assert m.version_of(files) == m.version_of({**files, m.CARD: b"another card", m.METRICS: b"{}"})
    assert m.version_of(files) != m.version_of(tiny_release(bias=0.1))
    assert m.version_of(files) != m.version_of(tiny_release(text=TEXT + "\n# a comment\n"))


@pytest.mark.parametrize("name", [*m.FILES, m.MANIFEST])
def test_one_changed_byte_is_refused(store: FolderReleases, tmp_path: Path, name: str) -> None:
    version = store.champion("tiny") or ""
    path = tmp_path / "tiny" / version / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ReleaseError):
        load_champion(store, "tiny", OnnxScorer)


@pytest.mark.parametrize("name", [*m.FILES, m.MANIFEST])
def test_a_missing_file_is_named(store: FolderReleases, tmp_path: Path, name: str) -> None:
    (tmp_path / "tiny" / (store.champion("tiny") or "") / name).unlink()
    with pytest.raises(ReleaseError, match=name.replace(".", r"\.")):
        load_champion(store, "tiny", OnnxScorer)


def test_a_file_that_the_manifest_does_not_list_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ReleaseError, match=r"holds extra\.txt"):
        m.verify({**files, "extra.txt": b""}, "tiny")


def test_another_contracts_release_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ReleaseError, match="belongs to the contract 'tiny', but 'other' is served here"):
        m.verify(files, "other")


def test_a_manifest_that_lies_about_its_version_is_refused(files: dict[str, bytes]) -> None:
    document = json.loads(files[m.MANIFEST]) | {"version": "0" * 12}
    with pytest.raises(ReleaseError, match="does not carry its own version"):
        m.verify({**files, m.MANIFEST: json.dumps(document).encode()}, "tiny")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_a_manifest_that_is_none_is_refused(files: dict[str, bytes], content: bytes) -> None:
    with pytest.raises(ReleaseError, match="manifest"):
        m.verify({**files, m.MANIFEST: content}, "tiny")


def test_a_wrong_golden_answer_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    examples = golden_from_bytes(files[m.GOLDEN])
    wrong = [examples[0].__class__(examples[0].why, examples[0].features, examples[0].probability + 1e-7)]
    _refuse(tmp_path, {**files, m.GOLDEN: golden_to_bytes(wrong)}, "golden examples of this release are answered")


def test_a_tiny_difference_is_allowed_on_another_instruction_set(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = golden_from_bytes(files[m.GOLDEN])
    near = [type(e)(e.why, e.features, e.probability + 5e-7) for e in examples]
    changed = with_manifest({k: v for k, v in files.items() if k != m.MANIFEST}, tiny_contract())
    monkeypatch.setattr("ebb.release.golden.instruction_set", lambda: "elsewhere")
    store = FolderReleases(tmp_path)
    changed = with_manifest(
        {k: v for k, v in {**files, m.GOLDEN: golden_to_bytes(near)}.items() if k != m.MANIFEST}, tiny_contract()
    )
    store.write("tiny", m.version_of(changed), changed)
    assert load_release(store, "tiny", m.version_of(changed), OnnxScorer).name.startswith("tiny/")


def test_no_golden_examples_no_service(tmp_path: Path, files: dict[str, bytes]) -> None:
    _refuse(tmp_path, {**files, m.GOLDEN: b""}, "no golden examples")


def test_golden_examples_that_cannot_be_read(tmp_path: Path, files: dict[str, bytes]) -> None:
    _refuse(tmp_path, {**files, m.GOLDEN: b'{"x": 1}\n'}, "golden examples cannot be read")


def test_a_graph_that_is_none(tmp_path: Path, files: dict[str, bytes]) -> None:
    _refuse(tmp_path, {**files, m.MODEL: b"no graph"}, "ONNX Runtime cannot load")


def test_a_contract_that_cannot_be_parsed(tmp_path: Path, files: dict[str, bytes]) -> None:
    _refuse(tmp_path, {**files, m.CONTRACT: b"name = 3"}, "cannot be used")


def _refuse(tmp_path: Path, files: dict[str, bytes], says: str) -> None:
    """Write a release whose hashes fit but whose content does not, and see it refused."""
    files = with_manifest({name: content for name, content in files.items() if name != m.MANIFEST}, tiny_contract())
    store = FolderReleases(tmp_path)
    store.write("tiny", m.version_of(files), files)
    with pytest.raises(ReleaseError, match=says):
        load_release(store, "tiny", m.version_of(files), OnnxScorer)


def test_the_champion_moves_at_once(store: FolderReleases, tmp_path: Path) -> None:
    first = store.champion("tiny")
    second = tiny_release(bias=0.5)
    store.write("tiny", m.version_of(second), second)
    assert store.champion("tiny") == first
    store.set_champion("tiny", m.version_of(second))
    assert store.champion("tiny") == m.version_of(second)
    assert store.versions("tiny") == sorted([str(first), m.version_of(second)])
    assert not list((tmp_path / "tiny").glob(".*"))


def test_a_champion_must_exist(store: FolderReleases) -> None:
    before = store.champion("tiny")
    with pytest.raises(NoRelease):
        store.set_champion("tiny", "0" * 12)
    assert store.champion("tiny") == before


def test_nothing_there_yet(tmp_path: Path) -> None:
    store = FolderReleases(tmp_path / "nowhere")
    assert (store.contracts(), store.versions("tiny"), store.champion("tiny")) == ([], [], None)
    with pytest.raises(NoRelease, match="train one"):
        load_champion(store, "tiny", OnnxScorer)
    with pytest.raises(NoRelease):
        store.read("tiny", "0" * 12)
    with pytest.raises(NoRelease, match="no release yet"):
        only_contract(store)


def test_a_half_written_release_is_never_seen(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    calls = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    store = FolderReleases(tmp_path)
    with pytest.raises(ReleaseError, match="No space left on device; nothing of it was kept"):
        store.write("tiny", m.version_of(files), files)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_writing_the_same_release_again_changes_nothing(store: FolderReleases, files: dict[str, bytes]) -> None:
    store.write("tiny", m.version_of(files), {**files, m.CARD: b"never written"})
    assert store.read("tiny", m.version_of(files)) == files


def test_a_release_folder_can_be_read_by_others(store: FolderReleases, tmp_path: Path) -> None:
    folder = tmp_path / "tiny" / (store.champion("tiny") or "")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_two_contracts_and_none_chosen(tmp_path: Path, files: dict[str, bytes]) -> None:
    store = FolderReleases(tmp_path)
    for name in ("tiny", "other"):
        store.write(name, m.version_of(files), files)
    with pytest.raises(NoRelease, match="several contracts"):
        only_contract(store)


def test_the_reference_row_is_typical() -> None:
    files = tiny_release()
    reference = Reference.from_bytes(files[m.REFERENCE])
    assert reference.typical(tiny_contract()) == {
        "tenure": 5.0,
        "spend": 20.5,
        "paperless": 1.0,
        "plan": "basic",
        "city": "Ghent",
    }
    assert reference.features["spend"]["missing"] == 1
    assert sum(reference.features["tenure"]["counts"]) == 4
    assert reference.features["city"]["categories"] == {"Ghent": 3, "nowhere": 1}
    assert reference.class_rate == 0.5
    assert sum(reference.score["counts"]) == 4


def test_a_graph_with_unknown_inputs_is_refused() -> None:
    with pytest.raises(ReleaseError, match="inputs"):
        OnnxScorer(tiny_model().replace(b"categories", b"kategories"))


def test_the_instruction_set_names_machine_and_extension() -> None:
    machine, _, extension = instruction_set().partition("+")
    assert machine
    assert extension
