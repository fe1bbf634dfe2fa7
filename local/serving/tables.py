"""Where the routing tables of a local cloud lie, and which release they call the champion."""

from pathlib import Path

from ebb.folder_routing import FolderRouting
from local.supervisor.state import State


def routing_folder(state_folder: Path) -> Path:
    """Return where the routing tables of a state folder lie."""
    return (state_folder / "routing").resolve()


def champion(state: State, state_folder: Path) -> str | None:
    """Return the version that the newest routing table calls the champion; without a table the one that came up.

    Raises:
        RoutingError, Unavailable: the tables cannot be read.
    """
    table = FolderRouting(routing_folder(state_folder)).latest(state.contract) if state.contract else None
    return table.champion if table else state.release
