"""Where a database lies."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PostgresAddress:
    """One database, where its server listens, and as whom it is entered."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
