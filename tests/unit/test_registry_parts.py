"""What the registry is told, where it lies, what is put off, and what is listed: all without MLflow."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ebb.errors import Misuse, NoRelease, ReleaseError, Unavailable
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release, version_in
from training.registry.address import address_of, check_uri
from training.registry.calls import Calls, reason
from training.registry.listing import list_releases
from training.registry.pending import Pending
from training.registry.registration import Registration, lineage_of, metrics_of

WAITING = Registration("tiny", "0" * 12, "run-1", {"leaves": 8}, {"validation/index.html": b"<p>", "notes.txt": b"1"})


def test_single_numbers_become_metrics_and_nothing_else() -> None:
    files = tiny_release(auc=0.9, flag=True, table=[1], odd=float("nan"), huge=float("inf"), text="0.5", skipped=None)
    assert metrics_of(files) == {"auc": 0.9, "flag": 1.0, "profit": 1.5, "rows": 4.0, "parity": 1e-7}
    assert metrics_of({**files, m.METRICS: b"{"}) == metrics_of({**files, m.METRICS: b"[1]"}) == {}


def test_lineage_names_data_contract_release_and_manifest() -> None:
    files = tiny_release()
    tags = lineage_of(files)
    assert tags["ebb.release"] == version_in(files)
    assert tags["ebb.contract_sha256"] == m.digest(TEXT.encode())
    assert tags["ebb.manifest_sha256"] == m.digest(files[m.MANIFEST])
    assert tags["ebb.data_sha256"] == "0" * 64
    assert "mlflow.source.git.commit" not in tags, "an empty tag says nothing"


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", "", ".", "release/model.onnx"])
def test_an_artifact_never_leaves_its_run(name: str) -> None:
    with pytest.raises(ReleaseError, match="cannot be the name of an artifact"):
        Registration("tiny", "0" * 12, artifacts={name: b""})


@pytest.mark.parametrize("uri", ["foo", "./mlruns", "file:///tmp/x", "ftp://host", "http://", "arn:aws:s3:::bucket"])
def test_what_is_no_address_is_misuse_when_typed_and_an_absence_when_used(tmp_path: Path, uri: str) -> None:
    with pytest.raises(Misuse, match="EBB_MLFLOW_URI"):
        check_uri(uri)
    with pytest.raises(Unavailable, match="no usable address"):
        address_of(tmp_path, uri)


def test_addresses_of_every_kind(tmp_path: Path) -> None:
    beside = address_of(tmp_path)
    assert beside.database == tmp_path / "mlflow.db"
    assert beside.artifacts == (tmp_path / "mlflow-artifacts").as_uri()
    assert address_of(tmp_path, f"sqlite:///{tmp_path}/other.db").database == tmp_path / "other.db"
    for uri in ("https://mlflow.example", "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/a"):
        told = address_of(tmp_path, uri)
        assert (told.uri, told.database, told.artifacts, told.server) == (uri, None, None, None)
    assert address_of(tmp_path, "postgresql+psycopg2://me:pw@db.example/mlflow").server == ("db.example", 5432)
    assert address_of(tmp_path, "mysql://db.example:7/mlflow").server == ("db.example", 7)
    with pytest.raises(Unavailable, match="no usable address"):
        address_of(tmp_path, "mysql://db.example:many/mlflow")


def test_an_error_is_one_short_line_without_credentials() -> None:
    assert reason(OSError("no way to postgresql://me:secret@db/x\nand more")) == "no way to postgresql://***@db/x"
    assert reason(ValueError("")) == "ValueError"
    assert len(reason(ValueError("x" * 999))) == 200


def test_calls_end_when_the_time_is_used_up() -> None:
    calls = Calls(seconds=-1.0)
    with pytest.raises(Unavailable, match="took longer than -1 s") as told, calls.bounded():
        raise AssertionError("never reached")
    assert told.value.timeout
    with pytest.raises(Unavailable, match=r"the registry \(MLflow\) failed: 3"), Calls().bounded():
        raise KeyError(3)
    with pytest.raises(KeyboardInterrupt), Calls().bounded():
        raise KeyboardInterrupt


def test_what_is_put_off_is_kept_whole(tmp_path: Path) -> None:
    pending = Pending(tmp_path, "tiny")
    assert (pending.versions(), pending.aliases) == ([], False)
    pending.keep(WAITING)
    pending.keep(replace(WAITING, run_id="run-2"))
    assert pending.versions() == ["0" * 12]
    assert pending.read("0" * 12) == replace(WAITING, run_id="run-2")
    pending.expect_aliases()
    pending.drop("0" * 12)
    assert (pending.versions(), pending.aliases) == ([], True)
    pending.aliases_followed()
    pending.drop("0" * 12)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_kill_while_putting_off_leaves_nothing_to_see(tmp_path: Path) -> None:
    left = tmp_path / "tiny" / "pending" / ".partial-x"
    left.mkdir(parents=True)
    pending = Pending(tmp_path, "tiny")
    assert pending.versions() == []
    pending.keep(WAITING)
    assert not left.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"run_id": "a", "parameters": 3}'])
def test_a_damaged_note_still_lets_the_release_be_registered(tmp_path: Path, content: bytes) -> None:
    pending = Pending(tmp_path, "tiny")
    pending.keep(WAITING)
    (tmp_path / "tiny" / "pending" / ("0" * 12) / "registration.json").write_bytes(content)
    assert pending.read("0" * 12) == Registration("tiny", "0" * 12)


def test_a_full_disk_puts_nothing_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    pending = Pending(tmp_path, "tiny")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ReleaseError, match="cannot be noted as not registered: No space left on device"):
            pending.keep(WAITING)
    assert pending.versions() == []
    assert list((tmp_path / "tiny" / "pending").iterdir()) == []


def filled(folder: Path) -> list[str]:
    """Write four releases: champion, previous, challenger and cheap, and return their versions."""
    store, versions = FolderReleases(folder), []
    for number in range(4):
        files = tiny_release(number / 10, auc=0.7 + number / 100)
        versions.append(version_in(files))
        store.write("tiny", versions[-1], files)
    store.set_champion("tiny", versions[1])
    store.set_champion("tiny", versions[0])
    store.set_challenger("tiny", versions[2])
    store.set_cheap("tiny", versions[3])
    return versions


def test_releases_are_listed_with_roles_and_figures(tmp_path: Path) -> None:
    versions = filled(tmp_path)
    Pending(tmp_path, "tiny").keep(replace(WAITING, version=versions[2]))
    Pending(tmp_path, "tiny").expect_aliases()
    found = list_releases(tmp_path)
    roles = {each.version: each.roles for each in found.releases}
    assert [roles[version] for version in versions] == [("champion",), ("previous",), ("challenger",), ("cheap",)]
    (first,) = (each for each in found.releases if each.version == versions[0])
    assert (first.auc, first.profit, first.currency, first.rows) == (0.7, 1.5, "EUR", 4)
    assert (first.name, first.data_sha256, first.damage) == (f"tiny/{versions[0]}", "0" * 64, "")
    assert found.pending == (f"tiny/{versions[2]}", "tiny")
    assert found.notes == ()


def test_a_champion_is_not_its_own_cheap_release(tmp_path: Path) -> None:
    versions = filled(tmp_path)
    FolderReleases(tmp_path).set_champion("tiny", versions[3])
    roles = {each.version: each.roles for each in list_releases(tmp_path).releases}
    assert [roles[version] for version in versions] == [("previous",), (), ("challenger",), ("champion",)]


def test_damage_is_told_and_hides_nothing_else(tmp_path: Path) -> None:
    first, second, third, fourth = filled(tmp_path)
    (tmp_path / "tiny" / first / "card.html").write_text("altered")
    (tmp_path / "tiny" / second / "manifest.json").unlink()
    (tmp_path / "tiny" / third / "metrics.json").write_text("[")
    (tmp_path / "tiny" / fourth).rename(tmp_path / "tiny" / ("f" * 12))
    found = list_releases(tmp_path, "tiny")
    damage = {each.version: each.damage for each in found.releases}
    assert "the sha256 of card.html is not the manifest's" in damage[first]
    assert "manifest.json is missing" in damage[second]
    assert "metrics.json" in damage[third]
    assert damage["f" * 12] == f"it is really {fourth}"
    assert found.notes == (f"the role cheap of tiny names {fourth}, and there is no such release",)


def test_a_champion_that_cannot_be_read_is_noted_once(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "tiny" / "champion").write_text("latest")
    found = list_releases(tmp_path)
    (note,) = found.notes
    assert "does not name a version" in note
    assert {role for each in found.releases for role in each.roles} == set(), "every role depends on who is champion"


def test_several_contracts_are_listed_or_one(tmp_path: Path) -> None:
    filled(tmp_path)
    files = tiny_release()
    FolderReleases(tmp_path).write("other", version_in(files), files)
    assert {each.contract for each in list_releases(tmp_path).releases} == {"tiny", "other"}
    (other,) = list_releases(tmp_path, "other").releases
    assert "belongs to the contract 'tiny'" in other.damage


@pytest.mark.parametrize("contract", [None, "tiny"])
def test_nothing_to_list_is_said(tmp_path: Path, contract: str | None) -> None:
    with pytest.raises(NoRelease, match="there is no release"):
        list_releases(tmp_path / "nowhere", contract)


def test_listing_and_promoting_import_no_mlflow() -> None:
    """MLflow takes seconds; a list, a check and a rollback without a registry never wait for it."""
    program = (
        "import sys, training.registry.listing, training.promote, training.publish; print('mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout.strip().lower()) is False
