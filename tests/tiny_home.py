"""A home with the tiny release, all of whose features are personal, and its local cloud up: ready in seconds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import redis

from ebb.folder import FolderReleases
from ebb.postgres.connection import PostgresConnection
from ebb.release import manifest as m
from local.loading.database import connect
from local.loading.running import running_servers
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release
from tests.home import Home

PERSONAL = TEXT.replace("personal = true\n", "").replace("[[features]]\n", "[[features]]\npersonal = true\n")
SCOPES = ("predict", "explain", "features:write", "subjects")
COLUMNS = ("id", "tenure", "Monthly  spend", "paperless", "plan", "city")


@contextmanager
def tiny_home(folder: Path, *options: str) -> Iterator[Home]:
    """Bring the tiny local cloud up in a folder, with more options of `ebb up`, and down again."""
    files = tiny_release(text=PERSONAL)
    store = FolderReleases(folder / "releases")
    store.write("tiny", m.version_of(files), files)
    store.set_champion("tiny", m.version_of(files))
    home = Home(folder)
    home.ok("up", "--port", "0", "--environments", "1", "--detach", *options)
    try:
        yield home
    finally:
        assert home.ebb("down").returncode == 0


@contextmanager
def caller(home: Home, client: str = "me") -> Iterator[httpx.Client]:
    """Return a client with every scope."""
    scopes = [argument for scope in SCOPES for argument in ("--scope", scope)]
    token = home.ok("token", "--client", client, *scopes).strip()
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=home.state.url, headers=headers, timeout=30) as http:
        yield http


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write a table that the tiny contract explains; what a row lacks is usual."""
    usual = {"tenure": 5, "Monthly  spend": 20.5, "paperless": "true", "plan": "basic", "city": "Ghent"}
    lines = [",".join(str({**usual, **row}[column]) for column in COLUMNS) for row in rows]
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return path


def postgres(home: Home) -> PostgresConnection:
    """Return a connection to the contract's database."""
    return connect(running_servers(home.state, home.state_home), "tiny")


def in_postgres(connection: PostgresConnection) -> str:
    """Return every row of every table as text."""
    tables = connection.query(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    rows = []
    for (table,) in tables:
        rows += connection.query(f"select cast(t.* as text) from {table} t")  # noqa: S608 - names of our own
    return str(rows)


def in_valkey(port: int) -> bytes:
    """Return every key and every value."""
    found = b""
    with redis.Redis(port=port) as valkey:
        for key in valkey.scan_iter(count=1000):
            kind = valkey.type(key)
            found += key + b" "
            if kind == b"string":
                found += valkey.get(key) or b""
            elif kind == b"zset":
                found += b" ".join(valkey.zrange(key, 0, -1))
            else:
                raise AssertionError(f"a key of an unknown kind: {kind!r}")
    return found
