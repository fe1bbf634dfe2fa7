"""The parts of a load that need no server: months, batches, what is told, and which cloud is meant."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse, ReleaseError, Unavailable
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.postgres.loads import Checkpoint
from ebb.postgres.month import Month
from ebb.release import manifest as m
from ebb.routing.change import started
from ebb.routing.table import Change
from local.commands.load import facts, told
from local.loading.load import Loaded
from local.loading.preparing import BATCH, Preparing, latest_of_months
from local.loading.running import fitting, running_servers, served_contract
from local.servers.process_id import ProcessId
from local.serving.tables import champion
from local.supervisor.state import Ports, State
from tests.fakes.made_contracts import contract_of
from tests.fakes.releases import tiny_release
from training.dataset.stream import open_stream

X = contract_of('name = "x"; kind = "number"; min = 0', entity="id")


@given(st.lists(st.floats(1, 4e9), max_size=30))
def test_each_month_is_named_by_its_latest_moment(times: list[float]) -> None:
    latest: dict[tuple[int, int], float] = {}
    for moment in sorted(times):
        day = datetime.fromtimestamp(moment, UTC)
        latest[day.year, day.month] = moment
    assert latest_of_months(np.array(times, np.float64)) == sorted(latest.values())


def test_the_last_instant_of_a_month_hides_no_month() -> None:
    turn = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    instant = float(np.nextafter(turn, 0.0))  # rounded to microseconds it is of November
    found = latest_of_months(np.array([instant, turn - 86_400.0]))
    assert [Month.of(moment) for moment in found] == [Month(2026, 10), Month(2026, 11)]


def _table(tmp_path: Path, rows: int) -> Path:
    path = tmp_path / "t.parquet"
    ids, values = [f"e{i}" for i in range(rows)], [-1.0 if i % 1_000 == 0 else 1.0 for i in range(rows)]
    pq.write_table(pa.table({"id": ids, "x": values}), path)
    return path


def test_batches_count_on_from_where_an_earlier_run_stopped(tmp_path: Path) -> None:
    rows = 2 * BATCH + 500
    preparing = Preparing(open_stream(_table(tmp_path, rows)), X, Checkpoint(BATCH, 4), 1)
    first, second = list(preparing.batches())
    assert (first.rows, second.rows) == (BATCH, 500)
    assert first.checkpoint == Checkpoint(2 * BATCH, 8)
    assert second.checkpoint == Checkpoint(rows, 9)
    assert preparing.refused == 9
    assert [line[:3] for line in second.refused] == [(2 * BATCH + 1, f"e{2 * BATCH}", "x")]
    assert bytes(first.texts[0]).count(b"\n") == BATCH - 4
    assert len(first.event_times) == 1
    assert first.event_times[0] <= time.time()


def test_what_a_load_did_is_told_to_scripts_and_people() -> None:
    loaded = Loaded("abc", 100, 20, 5, 3, 2, Path("refused.csv"), ("a note",))
    assert told(loaded) == {
        "load": "abc",
        "rows": 100,
        "loaded": 92,
        "refused": 5,
        "erased": 3,
        "resumed_from": 20,
        "unrepaired": 2,
        "refused_file": Path("refused.csv"),
        "notes": ["a note"],
    }
    said = facts(loaded)
    assert list(said) == ["rows", "resumed", "refused", "erased", "valkey", "note"]
    assert said["refused"] == "5 rows, see refused.csv"
    assert said["valkey"].startswith("did not take 2 batches")
    assert facts(Loaded("abc", 1_000, 0, 0, 0, 0, None, ())) == {"rows": "1,000"}


def _state(contract: str | None, release: str | None, releases: str | None = None) -> State:
    return State(
        phase="up",
        supervisor=ProcessId(1, 0),
        started_at="2026-01-01T00:00:00+00:00",
        ports=Ports(postgres=1234, valkey=4321),
        contract=contract,
        release=release,
        releases=releases,
    )


def test_the_running_cloud_names_servers_and_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"the password of Postgres in .* cannot be read"):
        running_servers(_state(None, None), tmp_path)
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "password").write_text("p4ss")
    servers = running_servers(_state(None, None), tmp_path)
    assert (servers.valkey_port, servers.postgres.port, servers.postgres.password) == (4321, 1234, "p4ss")
    assert "p4ss" not in repr(servers)


def test_the_contract_is_the_champions(tmp_path: Path) -> None:
    store, versions = FolderReleases(tmp_path / "releases"), []
    for bias in (0.0, 1.0):
        files = tiny_release(bias)
        versions.append(m.version_of(files))
        store.write("tiny", versions[-1], files)
    state = _state("tiny", versions[0], str(tmp_path / "releases"))
    contract = served_contract(state, tmp_path)
    assert contract.name == "tiny"
    assert fitting(contract, state) is contract
    assert fitting(contract, _state(None, None)) is contract
    with pytest.raises(Misuse, match="serves 'other', but this contract describes 'tiny'"):
        fitting(contract, _state("other", "v"))
    with pytest.raises(Misuse, match="serves no release yet"):
        served_contract(_state(None, None), tmp_path)
    with pytest.raises(ReleaseError):
        served_contract(_state("tiny", "0123456789ab", str(tmp_path / "releases")), tmp_path)
    FolderRouting(tmp_path / "routing").append("tiny", started(versions[1], "0" * 32, Change(1.0, "me", "start")))
    assert champion(state, tmp_path) == versions[1], "since it came up, another one was promoted"
    (tmp_path / "releases" / "tiny" / versions[0]).rename(tmp_path / "gone")
    assert served_contract(state, tmp_path) == contract
