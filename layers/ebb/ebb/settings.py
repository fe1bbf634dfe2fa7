"""The environment of a function, parsed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ebb.errors import Misuse


@dataclass(frozen=True)
class Settings:
    """What the function is told from outside.

    Attributes:
        releases: folder of the release store.
        contract: the contract that is served; empty means the store's only one.
        valkey_host, valkey_port: the fast tier.
        postgres_host, postgres_port, postgres_user, postgres_password, postgres_database: the durable tier.
        feature_ttl: seconds that the fast tier keeps a record; None without limit.
    """

    releases: Path
    contract: str
    valkey_host: str
    valkey_port: int
    postgres_host: str
    postgres_port: int
    postgres_user: str
    postgres_password: str = field(repr=False)
    postgres_database: str
    feature_ttl: float | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        """Parse the variables `EBB_*`.

        Raises:
            Misuse: one is missing, or a port is no number; names it.
        """

        def text(name: str) -> str:
            if name not in environment:
                raise Misuse(f"the environment variable {name} is not set")
            return environment[name]

        def port(name: str) -> int:
            if not text(name).isdecimal():
                raise Misuse(f"the environment variable {name} must be a port number")
            return int(text(name))

        return Settings(
            releases=Path(text("EBB_RELEASES")),
            contract=environment.get("EBB_CONTRACT", ""),
            valkey_host=text("EBB_VALKEY_HOST"),
            valkey_port=port("EBB_VALKEY_PORT"),
            postgres_host=text("EBB_POSTGRES_HOST"),
            postgres_port=port("EBB_POSTGRES_PORT"),
            postgres_user=text("EBB_POSTGRES_USER"),
            postgres_password=text("EBB_POSTGRES_PASSWORD"),
            postgres_database=text("EBB_POSTGRES_DATABASE"),
            feature_ttl=float(ttl) if (ttl := environment.get("EBB_FEATURE_TTL_SECONDS")) else None,
        )
