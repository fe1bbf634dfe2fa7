"""The environment of a function, parsed once."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ebb.contract.model import DEFAULT_HISTORY_KEEP
from ebb.entries import Entry, postgres_entry, secret_arn, valkey_entry
from ebb.errors import Misuse
from ebb.places import S3Place, parse_place
from ebb.postgres.address import PostgresAddress

_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+){2,}")


@dataclass(frozen=True)
class Settings:
    """What the function is told from outside.

    Attributes:
        releases: folder of the release store, or its place in S3.
        contract: the contract that is served; empty means the store's only one.
        valkey_host, valkey_port: the fast tier.
        valkey_entry: how its servers are entered.
        replica_port: its replica, on `replica_host`; None where there is none.
        replica_host: the replica's.
        postgres: the durable tier, and as whom it is entered where that is fixed.
        postgres_entry: how it is entered.
        feature_ttl: seconds that the fast tier keeps a record; None without limit.
        shortest_ttl: the smallest ttl of a feature, seconds; None where none has one.
        history_keep: seconds that past values are kept.
        client_rate, client_burst: what one client may ask, sustained a second and at once on top.
        durable_rate: reads a second that one environment may send past the fast tier, with as many at once.
        routing: folder of the routing tables, or their place in S3.
        stage_secret: ARN of the stage's secret; empty where a file holds it.
        stage_secret_file: file of the stage's secret; None where nothing is sealed, or by the other one.
        plans: what each client may ask, as JSON text; empty where all may ask the same.
        memory_megabytes: of the function.
        read_only: whether the durable tier is a replica of another region's, which takes no writes.
        follows: that region; empty where the durable tier is this region's own.
        followed: whether another region follows this one.
        gigabyte_second_usd: dollars for a second of a gigabyte of it (arm64 in us-east-1, list price of 2026).
    """

    releases: Path | S3Place
    contract: str
    valkey_host: str
    valkey_port: int
    postgres: PostgresAddress
    feature_ttl: float | None = None
    replica_host: str = ""
    replica_port: int | None = None
    shortest_ttl: float | None = None
    history_keep: float = DEFAULT_HISTORY_KEEP
    client_rate: float = 5_000.0
    client_burst: float = 10_000.0
    durable_rate: float = 200.0
    routing: Path | S3Place = Path("routing")
    stage_secret_file: Path | None = None
    stage_secret: str = ""
    valkey_entry: Entry = field(default_factory=Entry)
    postgres_entry: Entry = field(default_factory=Entry)
    plans: str = ""
    memory_megabytes: float = 1_024.0
    gigabyte_second_usd: float = 0.0000133334
    read_only: bool = False
    follows: str = ""
    followed: bool = False

    def __post_init__(self) -> None:
        """Check what two variables say together.

        Raises:
            Misuse: they contradict each other.
        """
        if self.read_only != bool(self.follows):
            raise Misuse("EBB_POSTGRES_READ_ONLY=true and EBB_FOLLOWS belong together: set both, or neither")
        if self.follows and self.followed:
            raise Misuse("EBB_FOLLOWS and EBB_FOLLOWED are both set: a region follows or is followed, leave one away")

    def require_writable(self, function: str) -> None:
        """Refuse to let a function begin that cannot do without writes.

        Raises:
            Misuse: the durable tier only reads here.
        """
        if self.read_only:
            raise Misuse(f"EBB_POSTGRES_READ_ONLY is set, but {function} writes: run it in the region {self.follows}")

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        """Parse the variables `EBB_*`.

        Raises:
            Misuse: one is missing, is not what it must be, or contradicts another; names it.
        """
        told = _Variables(environment)
        text, port, number = told.text, told.port, told.number
        entry = postgres_entry(environment)
        return Settings(
            releases=parse_place(text("EBB_RELEASES"), "EBB_RELEASES"),
            contract=environment.get("EBB_CONTRACT", ""),
            valkey_host=text("EBB_VALKEY_HOST"),
            valkey_port=port("EBB_VALKEY_PORT"),
            postgres=PostgresAddress(
                text("EBB_POSTGRES_HOST"),
                port("EBB_POSTGRES_PORT"),
                entry.username,
                entry.password,
                text("EBB_POSTGRES_DATABASE"),
            ),
            postgres_entry=entry,
            valkey_entry=valkey_entry(environment),
            feature_ttl=number("EBB_FEATURE_TTL_SECONDS", None),
            replica_host=environment.get("EBB_VALKEY_REPLICA_HOST") or text("EBB_VALKEY_HOST"),
            replica_port=port("EBB_VALKEY_REPLICA_PORT") if environment.get("EBB_VALKEY_REPLICA_PORT") else None,
            shortest_ttl=number("EBB_FEATURE_SHORTEST_TTL_SECONDS", None),
            history_keep=number("EBB_HISTORY_KEEP_SECONDS", DEFAULT_HISTORY_KEEP),
            client_rate=number("EBB_CLIENT_RATE", Settings.client_rate),
            client_burst=number("EBB_CLIENT_BURST", Settings.client_burst),
            durable_rate=number("EBB_DURABLE_RATE", Settings.durable_rate),
            routing=parse_place(environment.get("EBB_ROUTING") or str(Settings.routing), "EBB_ROUTING"),
            stage_secret=secret_arn(environment, "EBB_STAGE_SECRET"),
            stage_secret_file=_stage_secret_file(environment),
            plans=environment.get("EBB_PLANS", ""),
            memory_megabytes=number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Settings.memory_megabytes),
            gigabyte_second_usd=number("EBB_GIGABYTE_SECOND_USD", Settings.gigabyte_second_usd),
            read_only=told.flag("EBB_POSTGRES_READ_ONLY"),
            follows=told.region("EBB_FOLLOWS"),
            followed=told.flag("EBB_FOLLOWED"),
        )


@dataclass(frozen=True)
class _Variables:
    """Reads variables; every method raises Misuse, which names the variable."""

    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        if name not in self.environment:
            raise Misuse(f"the environment variable {name} is not set")
        return self.environment[name]

    def port(self, name: str) -> int:
        if not self.text(name).isdecimal():
            raise Misuse(f"the environment variable {name} must be a port number")
        return int(self.text(name))

    def flag(self, name: str) -> bool:
        said = self.environment.get(name, "")
        if said not in {"", "true", "false"}:
            raise Misuse(f"the environment variable {name} must be true or false")
        return said == "true"

    def region(self, name: str) -> str:
        said = self.environment.get(name, "")
        if said and not _REGION.fullmatch(said):
            raise Misuse(f"the environment variable {name} must name a region, such as us-east-1")
        return said

    def number(self, name: str, default: float | None) -> Any:
        if not self.environment.get(name):
            return default
        try:
            value = float(self.environment[name])
        except ValueError:
            value = 0.0
        if not 0 < value < math.inf:
            raise Misuse(f"the environment variable {name} must be a positive number")
        return value


def _stage_secret_file(environment: Mapping[str, str]) -> Path | None:
    file = environment.get("EBB_STAGE_SECRET_FILE")
    if file and environment.get("EBB_STAGE_SECRET"):
        raise Misuse("EBB_STAGE_SECRET and EBB_STAGE_SECRET_FILE are both set: a stage has one secret, leave one away")
    return Path(file) if file else None
