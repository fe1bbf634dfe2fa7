"""The local cloud that is up, as a load needs it: its servers and the contract that it serves."""

from pathlib import Path

from ebb.contract import Contract
from ebb.errors import Misuse, Unavailable
from ebb.folder import FolderReleases
from ebb.postgres.address import PostgresAddress
from ebb.release.load import load_contract
from local.servers.cluster import USER, data_folder
from local.servers.ports import LOOPBACK
from local.serving.tables import champion
from local.supervisor.servers import Servers
from local.supervisor.state import State

_DATABASE = "postgres"
LOADS = "loads"
"""Folder of the refused rows of all loads, in the state folder."""


def running_servers(state: State, folder: Path) -> Servers:
    """Return where the servers of the local cloud in a state folder listen, and how to enter them.

    Raises:
        Unavailable: the password that the cluster was made with cannot be read.
    """
    path = data_folder(folder / "postgres").parent / "password"
    try:
        password = path.read_text()
    except OSError as error:
        raise Unavailable(f"the password of Postgres in {path} cannot be read ({error.strerror})") from None
    address = PostgresAddress(LOOPBACK, state.ports.postgres, USER, password, _DATABASE)
    return Servers(state.ports.valkey, address, state.ports.replica or None)


def served_contract(state: State, folder: Path) -> Contract:
    """Return the contract of the release that the local cloud serves.

    Raises:
        Misuse: it serves none.
        ReleaseError: the release is altered or gone.
        RoutingError, Unavailable: the routing table that names it cannot be read.
    """
    if state.contract is None or state.releases is None:
        raise Misuse("the local cloud serves no release yet: say which contract explains the columns with --contract")
    return load_contract(FolderReleases(Path(state.releases)), state.contract, champion(state, folder))


def fitting(contract: Contract, state: State) -> Contract:
    """Return the contract when the local cloud serves the same problem, or none yet.

    Raises:
        Misuse: it serves another one, which would never see what is loaded.
    """
    if state.contract not in {None, contract.name}:
        raise Misuse(
            f"the local cloud serves {state.contract!r}, but this contract describes {contract.name!r}: "
            "bring up one of its releases first"
        )
    return contract
