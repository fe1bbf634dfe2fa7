"""Two regions of one stage on real servers: a primary, its streaming standby, and a Valkey of its own in each."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ebb.connect import CALM, QUICK, Patience, connect_fast, connect_postgres, connect_store
from ebb.metrics import Silent
from ebb.ports import FeatureRecord
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.subjects import PostgresSubjects
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.store.subjects import Subjects
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.followed import ValkeyFollowed
from ebb.valkey.refilled import ValkeyRefilled
from lambdas.maintain.bootstrap import bootstrap
from lambdas.maintain.logic import Maintenance
from lambdas.migrate.logic import migrate
from local.servers.valkey import Valkey
from tests.standby import Streaming

PRIMARY = "us-east-1"


@dataclass
class Region:
    """One region: its database, its Valkey, and what functions are told."""

    settings: Settings
    valkey: Valkey
    folder: Path
    opened: ExitStack

    def environment(self) -> dict[str, str]:
        """Return the environment of its functions."""
        at, follows = self.settings.postgres, self.settings.follows
        told = {
            "EBB_RELEASES": str(self.folder),
            "EBB_VALKEY_HOST": "127.0.0.1",
            "EBB_VALKEY_PORT": str(self.valkey.port),
            "EBB_POSTGRES_HOST": at.host,
            "EBB_POSTGRES_PORT": str(at.port),
            "EBB_POSTGRES_USER": at.user,
            "EBB_POSTGRES_PASSWORD": at.password,
            "EBB_POSTGRES_DATABASE": at.database,
        }
        return told | (
            {"EBB_FOLLOWS": follows, "EBB_POSTGRES_READ_ONLY": "true"} if follows else {"EBB_FOLLOWED": "true"}
        )

    def fast(self) -> ValkeyFeatures:
        """Return its fast tier, closed in the end."""
        made = connect_fast(self.settings, Silent())
        self.opened.callback(made.close)
        return made

    def store(self) -> FeatureStore:
        """Return what its predictions read."""
        return connect_store(self.settings, Silent(), self.fast(), self.connection(QUICK))

    def connection(self, patience: Patience = CALM) -> PostgresConnection:
        """Return one more connection to its database, closed in the end."""
        made = connect_postgres(self.settings, patience)
        self.opened.callback(made.close)
        return made

    def maintenance(self) -> Maintenance:
        """Return its maintenance function, whose connections are closed in the end."""
        made = bootstrap(self.environment())
        for each in (made.durable, made.fast, made.refilling, made.following and made.following.positions):
            assert isinstance(each, PostgresFeatures | ValkeyFeatures | ValkeyRefilled | ValkeyFollowed | None)
            if each is not None:
                self.opened.callback(each.close)
        return made


@dataclass
class World:
    """Both regions."""

    folder: Path

    def __post_init__(self) -> None:
        self.opened = ExitStack()
        self.streaming = Streaming.start(self.folder)
        address = self.streaming.primary.address
        migrate(address)
        settings = Settings(
            self.folder, "", "127.0.0.1", 0, address, client_rate=1e6, client_burst=1e6, durable_rate=1e6
        )
        first, second = (Valkey.start(self.folder / name) for name in ("first-valkey", "second-valkey"))
        self.first = Region(replace(settings, valkey_port=first.port, followed=True), first, self.folder, self.opened)
        replica = replace(
            settings,
            postgres=self.streaming.replica(address),
            valkey_port=second.port,
            read_only=True,
            follows=PRIMARY,
        )
        self.second = Region(replica, second, self.folder, self.opened)
        self.writer = self.first.store()
        self.subjects = Subjects(PostgresSubjects(self.first.connection()), self.first.fast(), followed=True)
        self.durable = PostgresFeatures(self.first.connection())
        self.look = self.second.fast()
        self.primary, self.follower = self.first.maintenance(), self.second.maintenance()
        assert self.primary.run("changes")["changes"]["switched"]
        self.come()

    def come(self) -> dict[str, object]:
        """Let the standby catch up, run the follower's maintenance once, and return what it followed."""
        self.streaming.caught_up()
        done = self.follower.run("all")
        assert done["failed"] == {}
        followed: dict[str, object] = done["follow"]
        return followed

    def held(self, *who: str) -> dict[str, FeatureRecord]:
        """Return what the second region's Valkey holds."""
        return self.look.held(who)

    def truth(self, *who: str) -> dict[str, FeatureRecord]:
        """Return what the primary holds."""
        return self.durable.read_many(who)

    def restart_valkey(self) -> None:
        """Start the second region's Valkey again, empty, on its port."""
        port = self.second.valkey.port
        self.second.valkey.stop()
        self.second.valkey = Valkey.start(self.folder / "second-valkey", port)
        self.follower = self.second.maintenance()

    def end(self) -> None:
        """End every server."""
        self.opened.close()
        for server in (self.first.valkey, self.second.valkey, self.streaming):
            server.stop()
