"""Real servers behind one feature store or several: what the fault and load tests drive."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import redis

from ebb.connect import CALM, QUICK, Patience, connect_fast, connect_postgres, connect_store
from ebb.metrics import Silent
from ebb.ports import FeatureUpdate, Signals
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.settings import Settings
from ebb.store.agreement import Agreement
from ebb.store.compare import compare
from ebb.store.repair import drain
from ebb.store.store import FeatureStore
from lambdas.migrate.logic import migrate
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey

_SILENT = Silent()


@dataclass
class RealStores:
    """Valkey, perhaps its replica, and a migrated Postgres; each may be killed, stopped and started again."""

    folder: Path
    with_replica: bool = False
    policy: str = "allkeys-lru"
    memory_mib: int = 64
    stopped: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opened = ExitStack()
        self.postgres = Postgres.start(self.folder / "postgres", durable=False)
        self.valkey = self._start_valkey(0)
        self.replica = self._start_replica(0) if self.with_replica else None
        migrate(self.postgres.address)

    @property
    def settings(self) -> Settings:
        """The settings of a function on these servers."""
        return Settings(
            releases=self.folder,
            contract="",
            valkey_host="127.0.0.1",
            valkey_port=self.valkey.port,
            postgres=self.postgres.address,
            replica_host="127.0.0.1",
            replica_port=self.replica.port if self.replica else None,
            client_rate=1e6,
            client_burst=1e6,
            durable_rate=1e6,
        )

    def store(
        self, signals: Signals = _SILENT, *, patience: Patience = QUICK, postgres_port: int = 0, **changes: float
    ) -> FeatureStore:
        """Return the store of one environment; `changes` are settings, and Postgres may be behind another port."""
        address = self.postgres.address
        settings = replace(
            self.settings,
            postgres=replace(address, port=postgres_port or address.port),
            **changes,  # type: ignore[arg-type]
        )
        fast = connect_fast(settings, signals)
        self._opened.callback(fast.close)
        return connect_store(settings, signals, fast, self.connection(patience, settings))

    def connection(self, patience: Patience = CALM, settings: Settings | None = None) -> PostgresConnection:
        """Return one more connection to Postgres, closed in the end."""
        made = connect_postgres(settings or self.settings, patience)
        self._opened.callback(made.close)
        return made

    def writer(self) -> FeatureStore:
        """Return the store of an environment that writes."""
        return self.store(patience=CALM)

    def durable(self) -> PostgresFeatures:
        """Return the durable tier by a connection of its own."""
        return PostgresFeatures(self.connection())

    def repaired(self) -> Agreement:
        """Work off every note, and compare all that Valkey holds with Postgres."""
        durable, fast = self.durable(), connect_fast(self.settings, _SILENT)
        self._opened.callback(fast.close)
        while drain(durable, fast, older_than=-1.0, limit=100).notes:
            pass
        found = compare(durable, fast, (entity_id for ids in fast.scan() for entity_id in ids))
        assert durable.unsettled(-1.0, 10) == []
        return found

    def restart_valkey(self) -> None:
        """Start Valkey again, empty, on its port."""
        self.valkey.stop()
        self.valkey = self._start_valkey(self.valkey.port)

    def restart_postgres(self) -> None:
        """Start Postgres again on its data and port."""
        self.postgres.stop()
        self.postgres = Postgres.start(self.folder / "postgres", self.postgres.port, durable=False)

    def fail_over(self) -> None:
        """End the primary; from now on its place is the replica's, which still refuses writes."""
        assert self.replica is not None
        self.valkey.stop()
        self.valkey, self.replica = self.replica, None

    def reload_valkey(self, look: Callable[[], object]) -> None:
        """Let Valkey load its data anew, slowly; `look` is called again and again meanwhile."""
        with redis.Redis(port=self.valkey.port) as client, redis.Redis(port=self.valkey.port) as other:
            client.mset({f"k{number}": "x" * 100 for number in range(15_000)})
            client.config_set("rdbcompression", "no")
            client.config_set("key-load-delay", 50)
            client.config_set("loading-process-events-interval-bytes", 1_024)
            reload = Thread(target=lambda: other.execute_command("DEBUG", "RELOAD"))
            reload.start()
            for _ in range(30):
                look()
                sleep(0.02)
            client.config_set("key-load-delay", 0)
            reload.join(30)

    @contextmanager
    def silent(self, server: Valkey | Postgres) -> Iterator[None]:
        """Stop a server's processes without ending them (SIGSTOP), and let them go on."""
        self.stop_all(server)
        try:
            yield
        finally:
            self.go_on()

    def stop_all(self, server: Valkey | Postgres) -> None:
        """Send SIGSTOP to a server and its children."""
        for pid in [server.pid, *_children(server.pid)]:
            os.kill(pid, signal.SIGSTOP)
            self.stopped.append(pid)

    def go_on(self) -> None:
        """Send SIGCONT to whatever was stopped."""
        while self.stopped:
            try:
                os.kill(self.stopped.pop(), signal.SIGCONT)
            except ProcessLookupError:
                continue

    def end(self) -> None:
        """End every server."""
        self.go_on()
        self._opened.close()
        for server in (self.replica, self.valkey, self.postgres):
            if server is not None:
                server.stop()

    def _start_valkey(self, port: int) -> Valkey:
        options = ("--enable-debug-command", "local")
        folder, memory = self.folder / "valkey", self.memory_mib
        return Valkey.start(folder, port, memory_mib=memory, policy=self.policy, options=options)

    def _start_replica(self, port: int) -> Valkey:
        return Valkey.start(self.folder / "replica", port, memory_mib=self.memory_mib, replica_of=self.valkey.port)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def update(who: str, value: float, at: float) -> FeatureUpdate:
    """Return one write of two features."""
    return FeatureUpdate(who, {"x": value, "y": f"v{value:g}"}, at)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.01)
