"""`ebb load`: a table's features into the running local cloud, or into a stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.commands.stage_option import Stage, at
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
    stage: Stage = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Load the features of a table into both tiers; a load that was interrupted goes on where it stopped.

    Rows that the contract refuses are left out and written to a file, with their reasons.

    Example:  ebb load customers.parquet --refused refused.csv
              ebb load customers.parquet --stage dev
    """
    try:
        loaded, name = _into_stage(stage, data, contract, refused) if stage else _here(data, contract, refused)
    except KeyboardInterrupt:
        errors.print("What was loaded stays; the same command again goes on after it.")
        raise
    if as_json:
        print_json(told(loaded))
        return
    print_facts(f"Loaded {data.name} by the contract {name!r}", facts(loaded))
    next_step(f"ebb score ENTITY_ID --explain{at(stage)}", f"ebb route show{at(stage)}" if stage else "ebb status")


def _here(data: Path, contract: Path | None, refused: Path | None) -> "tuple[Loaded, str]":
    """Load into the local cloud's servers, past its gateway; return what was done, and the contract's name."""
    from local.calling.local_cloud import local_cloud  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.loading.erasures import scrub_erased  # noqa: PLC0415
    from local.loading.load import Table, load_table  # noqa: PLC0415
    from local.loading.running import LOADS, fitting, running_servers, served_contract  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415
    from training.contract_file import read_contract  # noqa: PLC0415

    state, folder = local_cloud(), state_folder()
    meant = served_contract(state, folder) if contract is None else fitting(read_contract(contract)[0], state)
    servers = running_servers(state, folder)
    loaded = load_table(Table(data, meant, folder / LOADS, refused), servers, TerminalProgress())
    scrub_erased(servers, meant.name, folder / LOADS)
    return loaded, meant.name


def _into_stage(stage: str, data: Path, contract: Path | None, refused: Path | None) -> "tuple[Loaded, str]":
    """Load through a stage's API; return what was done, and the contract's name."""
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.loading.load import Table  # noqa: PLC0415
    from local.loading.over_https import load_over_https  # noqa: PLC0415
    from local.loading.running import LOADS  # noqa: PLC0415
    from local.loading.stage_contract import stage_contract  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415

    caller = caller_of(stage)
    meant = stage_contract(stage, caller, contract)
    table = Table(data, meant, state_folder() / LOADS, refused)
    return load_over_https(table, caller, TerminalProgress()), meant.name


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
