"""The servers of the running local cloud, for commands that look at them directly."""

from urllib.parse import quote

from ebb.errors import Unavailable
from local.caller import local_cloud
from local.servers.cluster import USER
from local.servers.ports import LOOPBACK
from local.supervisor.plan import Servers
from local.supervisor.state import state_folder


def running_servers() -> Servers:
    """Return where the servers of the running local cloud listen, with the contract's database.

    Raises:
        Unavailable: none is up, or its state folder lacks the password.
    """
    state = local_cloud()
    path = state_folder() / "postgres" / "cluster" / "password"
    try:
        password = path.read_text()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read ({error.strerror}): start anew with `ebb down`, `ebb up`") from None
    database = state.contract or "postgres"
    return Servers(
        valkey_port=state.ports.valkey,
        postgres_port=state.ports.postgres,
        postgres_user=USER,
        postgres_password=password,
        postgres_database=database,
        postgres_dsn=f"postgresql://{USER}:{quote(password)}@{LOOPBACK}:{state.ports.postgres}/{database}",
    )
