"""`ebb load`: a table's features into the running local cloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.terminal import TerminalProgress, counted, errors, next_step, print_facts, print_json

if TYPE_CHECKING:
    from local.loading.load import Loaded


def load(
    data: Annotated[Path, typer.Argument(help="Table to load: csv, parquet, or a folder of parquet.")],
    contract: Annotated[
        Path | None, typer.Option(help="Contract that explains the columns; default: the served release's.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Where the refused rows go (csv); default: in the state folder.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Load the features of a table into Postgres and Valkey; one that was interrupted goes on where it stopped.

    Rows that the contract refuses are left out and written to a file, with their reasons.

    Example:  ebb load customers.parquet --refused refused.csv
    """
    from local.caller import local_cloud  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.loading.erasures import scrub_erased  # noqa: PLC0415
    from local.loading.load import Table, load_table  # noqa: PLC0415
    from local.loading.running import LOADS, fitting, running_servers, served_contract  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415
    from training.contract_file import read_contract  # noqa: PLC0415

    state, folder = local_cloud(), state_folder()
    meant = served_contract(state, folder) if contract is None else fitting(read_contract(contract)[0], state)
    table = Table(data, meant, folder / LOADS, refused)
    servers = running_servers(state, folder)
    try:
        loaded = load_table(table, servers, TerminalProgress())
    except KeyboardInterrupt:
        errors.print("What was loaded stays; the same command again goes on after it.")
        raise
    scrub_erased(servers, meant.name, folder / LOADS)
    if as_json:
        print_json(told(loaded))
        return
    print_facts(f"Loaded {data.name} by the contract {meant.name!r}", facts(loaded))
    next_step("ebb score ENTITY_ID --explain", "ebb status")


def told(loaded: "Loaded") -> dict[str, Any]:
    """Return what a load did, for scripts."""
    return {
        "load": loaded.load,
        "rows": loaded.rows,
        "loaded": loaded.rows - loaded.refused - loaded.erased,
        "refused": loaded.refused,
        "erased": loaded.erased,
        "resumed_from": loaded.resumed_from,
        "unrepaired": loaded.unrepaired,
        "refused_file": loaded.refused_file,
        "notes": list(loaded.notes),
    }


def facts(loaded: "Loaded") -> dict[str, Any]:
    """Return what a load did, for people; what did not happen is left out."""
    found: dict[str, Any] = {"rows": f"{loaded.rows:,}"}
    if loaded.resumed_from:
        found["resumed"] = f"after {counted(loaded.resumed_from, 'row')} that an earlier run had loaded"
    if loaded.refused:
        found["refused"] = f"{counted(loaded.refused, 'row')}, see {loaded.refused_file}"
    if loaded.erased:
        found["erased"] = f"{counted(loaded.erased, 'row')} changed nothing: erased since"
    if loaded.unrepaired:
        found["valkey"] = f"did not take {loaded.unrepaired:,} batches; they are repaired when it answers again"
    for note in loaded.notes:
        found["note"] = note
    return found
