"""`ebb releases`, `ebb promote` and `ebb rollback` as they are typed: what they print, and mistakes in one sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ebb.errors import EbbError, GateRefused, Misuse, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from local.cli import app
from tests.fakes.releases import tiny_release, version_in

ONE, TWO, THREE = (version_in(tiny_release(bias)) for bias in (0.1, 0.2, 0.3))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderReleases:
    """Three releases without a registry: champion, previous, challenger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EBB_HOME", str(tmp_path / ".ebb"))
    monkeypatch.delenv("EBB_MLFLOW_URI", raising=False)
    store = FolderReleases(tmp_path / "releases")
    for bias in (0.1, 0.2, 0.3):
        files = tiny_release(bias)
        store.write("tiny", version_in(files), files)
    for version in (TWO, ONE):
        store.set_champion("tiny", version)
    store.set_challenger("tiny", THREE)
    return store


def ebb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})


def refused(*arguments: str) -> EbbError:
    error = ebb(*arguments).exception
    assert isinstance(error, EbbError)
    return error


@pytest.mark.usefixtures("store")
def test_releases_are_a_table_in_which_no_version_is_cut() -> None:
    done = ebb("releases")
    assert done.exit_code == 0, done.output
    assert "Releases of tiny in releases, profit an entity in EUR" in done.output
    lines = {line.split()[0]: line for line in done.output.splitlines() if line.strip()}
    for version, role in ((ONE, "champion"), (TWO, "previous"), (THREE, "challenger")):
        for text in (role, "2026-01-01", "0.8000", "1.5000", "verified"):
            assert text in lines[version]
    assert f"ebb promote tiny/{THREE}" in done.output
    assert "ebb rollback" in done.output


@pytest.mark.usefixtures("store")
def test_json_is_one_document() -> None:
    told = json.loads(ebb("releases", "--contract", "tiny", "--json").stdout)
    assert {each["version"]: each["roles"] for each in told["releases"]} == {
        ONE: ["champion"],
        TWO: ["previous"],
        THREE: ["challenger"],
    }
    assert all(each["verified"] and each["data_sha256"] == "0" * 64 for each in told["releases"])
    assert (told["pending"], told["notes"]) == ([], [])


def test_a_damaged_release_stands_out(store: FolderReleases, tmp_path: Path) -> None:
    assert store.champion("tiny") == ONE
    (tmp_path / "releases" / "tiny" / THREE / "card.html").write_text("altered")
    done = ebb("releases")
    assert done.exit_code == 0
    assert "damaged" in done.output
    assert "warning: release tiny/" in done.output
    assert f"ebb promote tiny/{THREE}" not in done.output


@pytest.mark.parametrize("named", [THREE, f"tiny/{THREE}", f"releases/tiny/{THREE}/"])
def test_a_release_is_promoted_by_any_of_its_names(store: FolderReleases, named: str) -> None:
    done = ebb("promote", named)
    assert done.exit_code == 0, done.output
    assert (store.champion("tiny"), store.previous("tiny"), store.challenger("tiny")) == (THREE, ONE, None)
    assert "serves from the next `ebb up` on" in done.output
    assert "ebb up --release releases/tiny --detach" in done.output


def test_a_rollback_swaps_and_says_so(store: FolderReleases) -> None:
    told = json.loads(ebb("rollback", "--json").stdout)
    assert told == {"contract": "tiny", "champion": TWO, "previous": ONE, "notes": []}
    assert (store.champion("tiny"), store.previous("tiny"), store.challenger("tiny")) == (TWO, ONE, THREE)
    assert ebb("rollback", "--contract", "tiny").exit_code == 0
    assert store.champion("tiny") == ONE


def test_a_break_needs_a_word(store: FolderReleases) -> None:
    from tests.unit.test_promotable import RETYPED  # noqa: PLC0415 - one contract, told once

    files = tiny_release(0.4, RETYPED)
    store.write("tiny", version_in(files), files)
    assert "--breaking promotes it all the same" in str(refused("promote", version_in(files)))
    done = ebb("promote", version_in(files), "--breaking")
    assert "warning: the former champion cannot serve beside this release" in done.output
    assert store.champion("tiny") == version_in(files)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("promote", ONE), ReleaseError, "is the champion already: nothing changed"),
        (("promote", "latest"), ReleaseError, "is not the version of a release"),
        (("promote", "0" * 12), NoRelease, "there is no release tiny/"),
        (("promote", f"other/{ONE}"), NoRelease, "there is no release other/"),
        (("promote", f"../{ONE}"), ReleaseError, "is not the name of a contract"),
        (("promote", THREE, "--mlflow", "foo"), Misuse, "EBB_MLFLOW_URI"),
        (("promote", THREE, "--releases", "nowhere"), NoRelease, "there is no release in nowhere"),
        (("rollback", "--contract", "other"), NoRelease, "no previous champion"),
        (("rollback", "--releases", "nowhere"), NoRelease, "there is no release in nowhere"),
        (("releases", "--contract", "other"), NoRelease, "there is no release of 'other'"),
        (("releases", "--sync", "--mlflow", "foo"), Misuse, "EBB_MLFLOW_URI"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[str, ...], error: type[EbbError], says: str) -> None:
    found = refused(*arguments)
    assert isinstance(found, error)
    assert says in str(found)
    assert "\n" not in str(found)


def test_a_hand_made_release_is_refused_by_its_gates(store: FolderReleases) -> None:
    files = tiny_release(0.5, gates=[])
    store.write("tiny", version_in(files), files)
    assert isinstance(refused("promote", version_in(files)), GateRefused)
    assert store.champion("tiny") == ONE


def test_several_contracts_ask_for_a_name(store: FolderReleases) -> None:
    store.write("other", ONE, tiny_release(0.1))
    for arguments in (("rollback",), ("promote", THREE)):
        found = refused(*arguments)
        assert isinstance(found, Misuse)
        assert "name one of other, tiny" in str(found)
    assert ebb("rollback", "--contract", "tiny").exit_code == 0


@pytest.mark.parametrize("command", ["releases", "promote", "rollback"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = ebb(command, "--help")
    assert done.exit_code == 0
    assert f"Example:  ebb {command}" in done.output
    assert "EBB_MLFLOW_URI" in done.output
