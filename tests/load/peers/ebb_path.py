"""Ebb as `ebb up` starts it: gateway and executor, environments with their runtime client, Valkey and Postgres."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.home import Home
from tests.load.peers.servers import Server
from tests.load.peers.wire import ebb

NAME = "Ebb, whole path"
ENVIRONMENTS = 2
_OTHERS = "the other functions"


@contextmanager
def whole_path(home: Home, environments: int = ENVIRONMENTS) -> Iterator[Server]:
    """Bring the local cloud of a prepared home up with its customers' features, and down again."""
    data = ["--data", "data/customers.parquet", "--environments", str(environments)]
    home.ok("up", "--release", "releases", "--port", "0", "--detach", *data)
    try:
        yield server_of(home)
    finally:
        home.ok("down")


def server_of(home: Home) -> Server:
    """Return the local cloud that is up in a home, as a server among others."""
    token = home.ok("token", "--client", "bench", "--scope", "predict").strip()
    state = home.state
    roots = (state.supervisor.pid, *(child.pid for child in state.children.values()))
    return Server(NAME, state.ports.gateway, roots, ebb(token), parts=parts(home))


def parts(home: Home) -> Mapping[str, tuple[int, ...]]:
    """Return the first processes of each part of the path, by what the part is called."""
    state = home.state
    found: dict[str, tuple[int, ...]] = {}
    for name, child in state.children.items():
        part = {"valkey": "Valkey", "postgres": "Postgres", "replica": "Valkey"}.get(name)
        if part is None:
            part = "environments of predict" if name.startswith("predict/") else _OTHERS
        found[part] = (*found.get(part, ()), child.pid)
    return found


def environment_of(home: Home) -> dict[str, str]:
    """Return the variables `EBB_*` of a running environment of the prediction function, just as `ebb up` set them."""
    pid = next(child.pid for name, child in home.state.children.items() if name.startswith("predict/"))
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    pairs = (entry.partition("=") for entry in entries if entry.startswith("EBB_"))
    return {name: value for name, _, value in pairs}
