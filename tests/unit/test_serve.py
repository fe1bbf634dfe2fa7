"""Which release `--release` means, which table it comes up with, what the functions are told, which ports are kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ebb.errors import Misuse, NoRelease, ReleaseError, RoutingError
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.postgres.address import PostgresAddress
from ebb.release import manifest as m
from ebb.routing.change import Roles, promoted, rolled_back, with_roles
from ebb.routing.table import Challenger, Change, Cheap, RoutingTable, Shadow
from local.servers.ports import free_port
from local.serving.environment import Cloud
from local.serving.plan import keep_port, make_plan
from local.serving.plans import plans_text
from local.serving.release import find_release
from local.serving.routes import ROUTES
from local.serving.routing import CLIENT, put_in_force
from local.serving.secret import stage_secret
from local.serving.tables import routing_folder
from local.supervisor.plan import Plan
from local.supervisor.servers import Servers
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release

_SET = Change(3.0, "me", "set")
SERVERS = Servers(1111, PostgresAddress("127.0.0.1", 2222, "ebb", "p4ss", "postgres"))


def _write(root: Path, contract: str = "tiny", bias: float = 0.0, *, champion: bool = True, text: str = TEXT) -> str:
    files = tiny_release(bias, text)
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


def _in_force(where: Path | None, state: Path) -> RoutingTable | None:
    return put_in_force(find_release(where), state)


def _append(state: Path, table: RoutingTable) -> None:
    FolderRouting(routing_folder(state)).append("tiny", table)


def test_the_first_table_makes_the_chosen_release_champion(tmp_path: Path) -> None:
    champion, other = _write(tmp_path / "r"), _write(tmp_path / "r", bias=1.0, champion=False)
    first = _in_force(tmp_path / "r", tmp_path)
    assert first is not None
    assert (first.version, first.champion, first.previous) == (1, champion, None)
    assert (first.change.client, first.change.action) == (CLIENT, "start")
    assert _in_force(tmp_path / "r", tmp_path) == first, "the same again needs no new version"
    elsewhere = _in_force(tmp_path / "r", tmp_path / "elsewhere")
    assert elsewhere is not None
    assert elsewhere.salt != first.salt
    second = _in_force(tmp_path / "r" / "tiny" / other, tmp_path)
    assert second is not None
    assert (second.version, second.champion, second.previous, second.salt) == (2, other, champion, first.salt)
    assert FolderReleases(tmp_path / "r").champion("tiny") == champion, "the release store keeps its champion"


def test_a_training_serves_from_the_next_start_on_and_not_before(tmp_path: Path) -> None:
    first = _write(tmp_path / "r")
    before = _in_force(tmp_path / "r", tmp_path)
    second = _write(tmp_path / "r", bias=1.0)
    latest = FolderRouting(routing_folder(tmp_path)).latest("tiny")
    assert latest == before
    assert latest is not None
    assert latest.champion == first
    after = _in_force(tmp_path / "r", tmp_path)
    assert after is not None
    assert (after.champion, after.previous) == (second, first)


def test_without_a_release_there_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _in_force(None, tmp_path / "state") is None
    assert not routing_folder(tmp_path / "state").exists()


def test_who_stands_beside_the_champion_is_kept_from_start_to_start(tmp_path: Path) -> None:
    first, second = _write(tmp_path / "r"), _write(tmp_path / "r", bias=1.0, champion=False)
    third = _write(tmp_path / "r", bias=2.0, champion=False)
    table = _in_force(tmp_path / "r", tmp_path)
    assert table is not None
    roles = Roles((Challenger(second, 0.05),), Cheap(third), Shadow(second))
    walked = with_roles(table, roles, Change(2.0, "me", "set"))
    _append(tmp_path, walked)
    assert _in_force(tmp_path / "r", tmp_path) == walked
    FolderReleases(tmp_path / "r").set_champion("tiny", second)
    after = _in_force(tmp_path / "r", tmp_path)
    assert after is not None
    assert (after.champion, after.previous, after.challengers, after.shadow) == (second, first, (), None)
    assert (after.cheap, after.slots) == (Cheap(third), {third: walked.slots[third]})


def test_releases_that_are_gone_keep_nobody_from_coming_up(tmp_path: Path) -> None:
    first, second = _write(tmp_path / "r"), _write(tmp_path / "r", bias=1.0, champion=False)
    table = _in_force(tmp_path / "r", tmp_path)
    assert table is not None
    _append(tmp_path, with_roles(table, Roles((Challenger(second, 0.05),)), Change(2.0, "me", "set")))
    card = tmp_path / "r" / "tiny" / second / "card.html"
    card.write_bytes(b"changed")
    after = _in_force(tmp_path / "r", tmp_path)
    assert after is not None
    assert (after.version, after.champion, after.challengers, after.slots) == (3, first, (), {})
    _append(tmp_path, promoted(after, second, Change(3.0, "me", "promote")))
    again = _in_force(tmp_path / "r", tmp_path)
    assert again is not None
    assert (again.version, again.champion, again.previous) == (5, first, None), "a broken one is not gone back to"


def test_a_broken_challenger_leaves_after_a_rollback_too(tmp_path: Path) -> None:
    first, second = _write(tmp_path / "r"), _write(tmp_path / "r", bias=1.0, champion=False)
    third = _write(tmp_path / "r", bias=2.0, champion=False)
    table = _in_force(tmp_path / "r", tmp_path)
    assert table is not None
    for after in (
        promoted(table, second, Change(2.0, "me", "promote")),
        with_roles(replace(table, version=2, champion=second, previous=first), Roles((Challenger(third, 0.1),)), _SET),
    ):
        _append(tmp_path, after)
    _append(tmp_path, rolled_back(after, Change(4.0, "me", "rollback")))
    (tmp_path / "r" / "tiny" / third / "card.html").write_bytes(b"changed")
    started = _in_force(tmp_path / "r", tmp_path)
    assert started is not None
    assert (started.version, started.champion, started.previous, started.challengers) == (5, first, second, ())


def test_a_retyped_feature_starts_alone(tmp_path: Path) -> None:
    first = _write(tmp_path / "r")
    assert _in_force(tmp_path / "r", tmp_path) is not None
    second = _write(tmp_path / "r", bias=1.0, text=TEXT.replace('unit = "months"', 'unit = "days"'))
    after = _in_force(tmp_path / "r", tmp_path)
    assert after is not None
    assert first != second
    assert (after.champion, after.previous) == (second, None)


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "r")
    assert _in_force(tmp_path / "r", tmp_path) is not None
    file = routing_folder(tmp_path) / "tiny" / "000000000001.json"
    file.write_bytes(file.read_bytes().replace(b'"salt"', b'"sugar"'))
    with pytest.raises(RoutingError, match=r"000000000001\.json is no routing table of Ebb's: .*'sugar'"):
        _in_force(tmp_path / "r", tmp_path)


def _plan(where: Path | None, folder: Path, environments: int = 1, plans: str = "") -> Plan:
    cloud = Cloud(find_release(where), folder, plans)
    return make_plan(cloud, port=0, environments=environments, prepare=lambda *_: None)


def test_the_plan_tells_the_functions_where_everything_is(tmp_path: Path) -> None:
    version = _write(tmp_path / "r")
    prepared: list[tuple[Servers, str]] = []
    cloud = Cloud(find_release(tmp_path / "r"), tmp_path, '{"default":{"rate":1}}')
    plan = make_plan(cloud, port=0, environments=3, prepare=lambda *given: prepared.append(given))
    predict, records, maintain = plan.functions(SERVERS)
    assert (predict.name, predict.environments, records.name, records.environments) == ("predict", 3, "records", 1)
    assert (maintain.name, maintain.environments, maintain.environment) == ("maintain", 1, predict.environment)
    assert {schedule.function for schedule in plan.schedules} == {"maintain"}
    assert predict.environment["EBB_RELEASES"] == plan.releases == str((tmp_path / "r").resolve())
    assert predict.environment["EBB_ROUTING"] == str(tmp_path.resolve() / "routing")
    assert predict.environment["EBB_STAGE_SECRET_FILE"] == str(tmp_path.resolve() / "stage_secret")
    assert predict.environment["EBB_PLANS"] == '{"default":{"rate":1}}'
    assert predict.environment["EBB_POSTGRES_DATABASE"] == predict.environment["EBB_CONTRACT"] == "tiny"
    assert not any(version in value for value in predict.environment.values()), "code never carries a release"
    plan.prepare(SERVERS)
    assert prepared == [(SERVERS, "tiny")]
    assert {route.function for route in ROUTES} == {"predict", "records"}


def test_without_a_release_everything_still_has_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = _plan(None, tmp_path / "state")
    (tmp_path / "state").mkdir()
    environment = plan.functions(SERVERS)[0].environment
    assert (environment["EBB_CONTRACT"], environment["EBB_POSTGRES_DATABASE"]) == ("", "postgres")
    assert "EBB_PLANS" not in environment
    assert (plan.contract, plan.release, plan.releases) == (None, None, None)
    _write(tmp_path / "releases")
    assert FolderReleases(Path(environment["EBB_RELEASES"])).contracts() == [], "a training starts nothing"


def test_the_stage_secret_is_made_once_and_is_the_owners(tmp_path: Path) -> None:
    path = stage_secret(tmp_path)
    secret = path.read_bytes()
    assert (len(secret), path.stat().st_mode & 0o777) == (32, 0o600)
    assert stage_secret(tmp_path).read_bytes() == secret
    assert stage_secret(_folder(tmp_path / "other")).read_bytes() != secret
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["stage_secret"]
    path.write_bytes(b"")
    with pytest.raises(Misuse, match="put the stage's secret back"):
        stage_secret(tmp_path)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plans.toml", '[plans.small]\nrate = 5\nburst = 10\n[clients]\nacme = "small"\n'),
        ("plans.json", '{"plans": {"small": {"rate": 5, "burst": 10}}, "clients": {"acme": "small"}}'),
    ],
)
def test_plans_are_passed_on_as_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    told = json.loads(plans_text(tmp_path / name))
    assert told == {"plans": {"small": {"rate": 5, "burst": 10}}, "clients": {"acme": "small"}}
    assert plans_text(None) == ""


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("plans.toml", "rate", "neither TOML nor"),
        ("plans.json", "[plans]", "neither TOML nor"),
        ("plans.toml", "at = 2026-01-01", "what no plan has"),
        ("plans.toml", "[default]\nrate = -1", "must be above 0"),
        ("plans.toml", '[clients]\nacme = "large"', "must be the name of one"),
    ],
)
def test_plans_that_are_none_are_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Misuse, match=says):
        plans_text(tmp_path / name)
    with pytest.raises(Misuse, match="cannot be read: No such file"):
        plans_text(tmp_path / "nowhere.toml")


def test_the_control_port_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def control_port() -> int:
        return _plan(None, tmp_path).control_port

    assert control_port() == 0
    port = free_port()
    keep_port(tmp_path, port)
    assert control_port() == port
    (tmp_path / "control_port").write_text("garbage")
    assert control_port() == 0


def test_only_health_and_openapi_need_no_token() -> None:
    open_paths = {route.path for route in ROUTES if not route.authorized}
    assert open_paths == {"/v1/health", "/openapi.json", "/docs", "/docs/{asset}"}
