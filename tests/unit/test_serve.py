"""Which release `--release` means, what the functions are told, and which ports are kept."""

from pathlib import Path

import pytest

from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.postgres.address import PostgresAddress
from ebb.release import manifest as m
from local.serve import ROUTES, find_release, keep_port, make_plan, pinned
from local.servers.ports import free_port
from local.supervisor.servers import Servers
from tests.fakes.releases import tiny_release

SERVERS = Servers(1111, PostgresAddress("127.0.0.1", 2222, "ebb", "p4ss", "postgres"))


def _write(root: Path, contract: str = "tiny", bias: float = 0.0, *, champion: bool = True) -> str:
    files = tiny_release(bias)
    store = FolderReleases(root)
    store.write(contract, m.version_of(files), files)
    if champion:
        store.set_champion(contract, m.version_of(files))
    return m.version_of(files)


def test_a_folder_of_releases_its_contract_or_one_release(tmp_path: Path) -> None:
    champion, other = _write(tmp_path, bias=0.0), _write(tmp_path, bias=1.0, champion=False)
    for where, version in ((tmp_path, champion), (tmp_path / "tiny", champion), (tmp_path / "tiny" / other, other)):
        served = find_release(where)
        assert served.release is not None
        assert (served.contract, served.release.manifest.version) == ("tiny", version)
        assert served.releases == tmp_path.resolve()


def test_the_default_is_the_folder_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nothing = find_release(None)
    assert (nothing.contract, nothing.release, nothing.releases) == (None, None, (tmp_path / "releases").resolve())
    _write(tmp_path / "releases")
    assert find_release(None).contract == "tiny"


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match="is no release and holds none"):
        find_release(tmp_path)
    _write(tmp_path, champion=False)
    with pytest.raises(NoRelease, match="has no champion"):
        find_release(tmp_path)


def test_several_contracts_need_a_choice(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path, "other")
    with pytest.raises(ReleaseError, match="choose one with --release"):
        find_release(tmp_path)
    assert find_release(tmp_path / "tiny").contract == "tiny"
    with pytest.raises(ReleaseError, match="belongs to the contract 'tiny'"):
        find_release(tmp_path / "other")


def test_a_chosen_release_is_pinned_and_the_champion_stays(tmp_path: Path) -> None:
    champion, other = _write(tmp_path / "r"), _write(tmp_path / "r", bias=1.0, champion=False)
    state = tmp_path / "state"
    served = pinned(find_release(tmp_path / "r" / "tiny" / other), state)
    assert FolderReleases(served.releases).champion("tiny") == other
    assert FolderReleases(tmp_path / "r").champion("tiny") == champion
    again = pinned(find_release(tmp_path / "r" / "tiny" / other), state)
    assert again.releases == served.releases
    assert find_release(served.releases).contract == "tiny"
    plain = pinned(find_release(tmp_path / "r"), state)
    assert FolderReleases(plain.releases).champion("tiny") == champion


def test_a_training_does_not_change_what_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _write(tmp_path / "r")
    served = pinned(find_release(tmp_path / "r"), tmp_path / "state")
    _write(tmp_path / "r", bias=1.0)
    assert FolderReleases(served.releases).champion("tiny") == first
    monkeypatch.chdir(tmp_path)
    nothing = pinned(find_release(None), tmp_path / "other")
    assert FolderReleases(nothing.releases).contracts() == []


def test_the_plan_tells_the_functions_where_everything_is(tmp_path: Path) -> None:
    version = _write(tmp_path / "r")
    prepared: list[tuple[Servers, str]] = []
    plan = make_plan(
        find_release(tmp_path / "r"),
        tmp_path,
        port=0,
        environments=3,
        prepare=lambda *given: prepared.append(given),
    )
    predict, records, maintain = plan.functions(SERVERS)
    assert (predict.name, predict.environments, records.name, records.environments) == ("predict", 3, "records", 1)
    assert (maintain.name, maintain.environments, maintain.environment) == ("maintain", 1, predict.environment)
    assert {schedule.function for schedule in plan.schedules} == {"maintain"}
    assert predict.environment["EBB_RELEASES"] == str((tmp_path / "r").resolve())
    assert predict.environment["EBB_POSTGRES_DATABASE"] == predict.environment["EBB_CONTRACT"] == "tiny"
    assert not any(version in value for value in predict.environment.values()), "code never carries a release"
    plan.prepare(SERVERS)
    assert prepared == [(SERVERS, "tiny")]
    assert {route.function for route in ROUTES} == {"predict", "records"}


def test_without_a_release_everything_still_has_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan(find_release(None), tmp_path, port=0, environments=1, prepare=lambda *_: None)
    environment = plan.functions(SERVERS)[0].environment
    assert (environment["EBB_CONTRACT"], environment["EBB_POSTGRES_DATABASE"]) == ("", "postgres")
    assert (plan.contract, plan.release) == (None, None)


def test_the_control_port_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def control_port() -> int:
        return make_plan(find_release(None), tmp_path, port=0, environments=1, prepare=lambda *_: None).control_port

    assert control_port() == 0
    port = free_port()
    keep_port(tmp_path, port)
    assert control_port() == port
    (tmp_path / "control_port").write_text("garbage")
    assert control_port() == 0


def test_only_health_and_openapi_need_no_token() -> None:
    assert {route.path for route in ROUTES if not route.authorized} == {"/v1/health", "/openapi.json"}
