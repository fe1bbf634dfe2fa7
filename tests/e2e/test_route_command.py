"""`ebb route` as a user meets it: what serves is shown, changed, refused, taken back, and outlives a restart."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ebb.errors import Unavailable
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.valkey.features import ValkeyFeatures
from local.commands import GROUPS
from tests.fakes.contracts import ROW
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import version
from tests.home import Home

VERSIONS = [version_in(tiny_release(float(bias))) for bias in range(4)]
ONE, TWO, THREE, FOUR = VERSIONS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A local cloud with four releases, the first of which is the champion; one environment predicts."""
    home = Home(tmp_path_factory.mktemp("route"))
    store = FolderReleases(home.folder / "releases")
    for bias, name in enumerate(VERSIONS):
        store.write("tiny", name, tiny_release(float(bias)))
    store.set_champion("tiny", ONE)
    (home.folder / "plans.toml").write_text('[plans.slow]\nrate = 0.001\nburst = 1\n[clients]\nslow = "slow"\n')
    home.ok("up", "--port", "0", "--environments", "1", "--plans", "plans.toml", "--detach")
    yield home
    assert home.ebb("down").returncode == 0


@pytest.fixture
def alone(home: Home) -> Home:
    """The same with the first release as the champion, and nobody beside it."""
    home.ok("route", "set", "--none")
    if _roles(home.json("route", "show"))[0] != ("champion", ONE):
        home.ok("route", "promote", ONE)
    return home


def _roles(document: Any) -> list[tuple[str, str]]:
    return [(role["role"], role["release"]) for role in document["roles"]]


def _ask(home: Home, method: str, path: str, body: object = None, *, client: str = "me", scope: str = "predict") -> Any:
    token = home.ok("token", "--client", client, "--scope", scope).strip()
    headers = {"authorization": f"Bearer {token}"}
    return httpx.request(method, home.state.url + path, json=body, headers=headers, timeout=30)


def _serving(home: Home) -> Callable[[str], str]:
    """Return what says which release answers an entity."""
    token = home.ok("token", "--client", "me").strip()
    url, headers = f"{home.state.url}/v1/predictions", {"authorization": f"Bearer {token}"}

    def release(entity_id: str) -> str:
        body = {"entity_id": entity_id, "features": ROW}
        answered = httpx.post(url, json=body, headers=headers, timeout=30)
        assert answered.status_code == 200, answered.text
        name: str = answered.json()["release"]
        return name.rpartition("/")[2]

    return release


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("command", sorted(GROUPS["route"][1]))
def test_every_command_explains_itself_with_an_example(tmp_path: Path, command: str) -> None:
    done = Home(tmp_path).ebb("route", command, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"ebb route {command}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("show",), 1, "no local cloud is up here"),
        (("rollback",), 1, "no local cloud is up here"),
        (("promote", ONE), 1, "no local cloud is up here"),
        (("promote",), 2, "Missing argument 'VERSION'"),
        (("set",), 2, "--none for nobody"),
        (("set", "--none", "--shadow", ONE), 2, "--none for nobody"),
        (("set", "--challenger", ONE), 2, "--challenger takes VERSION=WEIGHT"),
        (("set", "--challenger", f"{ONE}=much"), 2, "--challenger takes VERSION=WEIGHT"),
        (("set", "--cheap", f"{ONE}="), 2, "--cheap takes VERSION=WEIGHT"),
        (("set", "--shadow", ONE, "--margin", "0.1"), 2, "name that release with --cheap"),
        (("set", "--cheap", ONE, "--budget-ms", "3"), 2, "name it with --shadow"),
    ],
)
def test_mistakes_are_one_sentence_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = Home(tmp_path).ebb("route", *arguments)
    assert done.returncode == code, done.stderr
    assert says in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr + done.stdout


def test_the_roles_are_shown(alone: Home) -> None:
    beside = ("--challenger", f"{TWO}=0.05", "--cheap", THREE, "--margin", "0.1", "--shadow", FOUR)
    shown = alone.ok("route", "set", *beside)
    for text in (ONE, TWO, "85.00%", "5.00%", "1,000", "margin 0.1", "at most 5 ms", "ebb-route", "Next:"):
        assert text in shown
    document = alone.json("route", "show")
    assert _roles(document)[:4] == [("champion", ONE), ("challenger", TWO), ("cheap", THREE), ("shadow", FOUR)]
    assert [role.get("slots") for role in document["roles"]][:4] == [8_500, 500, 1_000, None]
    assert alone.ok("route", "show").splitlines()[0] == f"Routing table of tiny, version {document['version']}"


def test_what_is_refused_changes_nothing(alone: Home) -> None:
    before = alone.json("route", "show")
    for arguments, says in (
        (("set", "--challenger", f"{TWO}=0.7", "--cheap", f"{THREE}=0.4"), "add up to 1.1"),
        (("set", "--challenger", f"{TWO}=0.00001"), "at most four decimals"),
        (("set", "--shadow", version(5)), f"there is no release tiny/{version(5)}"),
        (("promote", version(5)), f"there is no release tiny/{version(5)}"),
        (("promote", ONE), "is the champion already"),
        (("promote", "latest"), "no version of a release"),
    ):
        done = alone.ebb("route", *arguments)
        assert done.returncode == 1
        assert says in done.stderr
    assert alone.json("route", "show") == before


def test_an_altered_release_is_not_promoted(alone: Home) -> None:
    card = alone.folder / "releases" / "tiny" / FOUR / "card.html"
    content = card.read_bytes()
    card.write_bytes(b"changed")
    try:
        done = alone.ebb("route", "promote", FOUR)
    finally:
        card.write_bytes(content)
    assert done.returncode == 1
    assert "the sha256 of card.html is not the manifest's" in done.stderr


def test_admins_alone_see_and_change_the_table(home: Home) -> None:
    for method, path in (("GET", ""), ("PUT", ""), ("POST", "/promote"), ("POST", "/rollback")):
        answered = _ask(home, method, f"/v1/routing{path}", {}, scope="subjects")
        assert answered.status_code == 403, path
    assert _ask(home, "GET", "/v1/routing", scope="admin").json()["contract"] == "tiny"


def test_two_who_looked_at_the_same_table(alone: Home) -> None:
    based_on = alone.json("route", "show")["version"]
    body = {"shadow": {"release": TWO}, "based_on": based_on}
    assert _ask(alone, "PUT", "/v1/routing", body, scope="admin").json()["version"] == based_on + 1
    second = _ask(alone, "PUT", "/v1/routing", body, scope="admin")
    assert (second.status_code, second.json()["type"]) == (409, "urn:ebb:problem:conflict")


def test_a_rollout_from_a_first_share_to_the_champion_and_back(alone: Home) -> None:
    serving, entities = _serving(alone), [f"ID-{number}" for number in range(60)]
    assert {serving(entity) for entity in entities} == {ONE}
    with_it: set[str] = set()
    for weight in ("0.1", "0.5"):
        alone.ok("route", "set", "--challenger", f"{TWO}={weight}")
        _until(lambda: TWO in {serving(entity) for entity in entities})
        now = {entity for entity in entities if serving(entity) == TWO}
        assert with_it <= now < set(entities)
        with_it = now
    alone.ok("route", "promote", TWO)
    assert serving("ID-1") == TWO, "what is loaded is in force with the next request"
    assert alone.json("status")["release"] == TWO
    assert (alone.folder / "releases" / "tiny" / "champion").read_text().strip() == TWO
    told = alone.json("route", "rollback")
    assert _roles(told) == [("champion", ONE), ("previous", TWO)]
    assert {serving(entity) for entity in entities} == {ONE}
    assert (alone.folder / "releases" / "tiny" / "champion").read_text().strip() == ONE


def test_plans_and_the_stage_secret_reach_the_functions(home: Home) -> None:
    body = {"entity_id": "e-1", "features": ROW}
    statuses = [_ask(home, "POST", "/v1/predictions", body, client="slow").status_code for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert _ask(home, "POST", "/v1/predictions", body).status_code == 200
    secret = home.state_home / "stage_secret"
    assert (secret.stat().st_size, secret.stat().st_mode & 0o777) == (32, 0o600)
    functions = [id_.pid for name, id_ in home.state.children.items() if name.startswith("predict/")]
    environment = Path(f"/proc/{functions[0]}/environ").read_bytes()
    assert f"EBB_STAGE_SECRET_FILE={secret.resolve()}".encode() in environment
    assert secret.read_bytes() not in environment


def test_a_valkey_that_comes_back_empty_is_told_the_version_again(alone: Home) -> None:
    known = alone.json("route", "promote", TWO)["version"]
    fast = ValkeyFeatures("127.0.0.1", alone.state.ports.valkey, timeout=2.0, interval=0.1)
    assert fast.ask("e-1", "tests").routing == known
    killed = alone.state.children["valkey"].pid
    os.kill(killed, signal.SIGKILL)
    _until(lambda: alone.state.children["valkey"].pid != killed and _routing(fast) == known)
    serving = _serving(alone)
    _until(lambda: serving("e-1") == TWO)


def _routing(fast: ValkeyFeatures) -> int:
    try:
        return fast.ask("e-1", "tests").routing
    except Unavailable:
        return 0


def test_the_table_outlives_a_restart_and_a_forgetful_valkey(alone: Home) -> None:
    alone.ok("route", "promote", THREE)
    alone.ok("route", "set", "--challenger", f"{TWO}=1")
    before, secret = alone.json("route", "show"), (alone.state_home / "stage_secret").read_bytes()
    alone.ok("down")
    alone.ok("up", "--port", "0", "--environments", "1", "--plans", "plans.toml", "--detach")
    assert alone.json("route", "show") == before
    assert (alone.state_home / "stage_secret").read_bytes() == secret
    assert _serving(alone)("anybody") == TWO
    alone.ok("down")
    alone.ok("up", "--release", f"releases/tiny/{FOUR}", "--port", "0", "--environments", "1", "--detach")
    after = alone.json("route", "show")
    assert _roles(after) == [("champion", FOUR), ("challenger", TWO), ("previous", THREE)]
    assert after["changes"][0]["client"] == "ebb-up"
    assert after["salt"] == before["salt"]
    assert FolderReleases(alone.folder / "releases").champion("tiny") == THREE, "a start names no champion"
    tables = FolderRouting(alone.state_home / "routing").history("tiny", 1_000)
    assert [table.version for table in tables] == list(range(len(tables), 0, -1))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("plans.toml", "[default]\nrate = -1\n", "must be above 0"),
        ("plans.json", "{", "neither TOML nor"),
        ("plans.json", json.dumps({"clients": {"acme": "large"}}), "must be the name of one"),
        ("other.toml", None, "cannot be read"),
    ],
)
def test_plans_that_are_none_bring_nothing_up(tmp_path: Path, name: str, text: str | None, says: str) -> None:
    home = Home(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    done = home.ebb("up", "--plans", name, "--port", "0")
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert home.json("down")["was_up"] is False
