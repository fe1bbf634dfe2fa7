"""`ebb releases`: what was trained, which role it has, and whether its files are whole."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from ebb.errors import Misuse
from local.commands.registry_options import DEFAULT_RELEASES, AsJson, ContractName, MlflowUri, Releases, print_notes
from local.commands.stage_option import Stage
from local.terminal import console, next_step, plain, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ebb.release.listed import Listed
    from training.registry.listing import Listing
    from training.registry.sync import Synced

Sync = Annotated[bool, typer.Option("--sync", help="Tell the registry what it has missed.")]
_COLUMNS = ("release", "role", "made", "AUC", "profit", "rows", "files", "data")


def releases(
    contract: ContractName = None,
    releases: Releases = DEFAULT_RELEASES,
    mlflow: MlflowUri = "",
    *,
    sync: Sync = False,
    stage: Stage = None,
    as_json: AsJson = False,
) -> None:
    """List the releases of a folder, or of a stage: role, figures out of fold, data, and whether files are unaltered.

    Exit code 1 when --sync finds the registry away.

    Example:  ebb releases --contract telco
              ebb releases --stage dev
    """
    if stage is not None:
        if sync or contract is not None or releases != DEFAULT_RELEASES:
            raise Misuse("--stage lists what a stage holds: leave out --sync, --contract and --releases")
        _show(_of_stage(stage), None, f"the stage {stage}", stage, as_json=as_json)
        return
    from training.registry.listing import list_releases  # noqa: PLC0415 - keeps `ebb --help` quick

    found = list_releases(releases, contract)
    synced = _synced(releases, found, mlflow) if sync else None
    if synced is not None:
        found = list_releases(releases, contract)
    _show(found, synced, str(releases), None, as_json=as_json)
    if synced is not None and synced.away:
        raise typer.Exit(1)


def _of_stage(stage: str) -> "Listing":
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.calling.registered import listing_of  # noqa: PLC0415

    return listing_of(caller_of(stage).releases())


def _show(found: "Listing", synced: "Synced | None", where: str, stage: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(found, synced))
        return
    _print(found, synced, where)
    next_step(*(_next(found) if stage is None else (f"ebb route promote VERSION --stage {stage}",)))


def _synced(releases: "Path", found: "Listing", mlflow: str) -> "Synced":
    from training.registry.address import check_uri  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.registry.sync import sync_registry  # noqa: PLC0415

    contracts = sorted({each.contract for each in found.releases})
    return sync_registry(releases, contracts, check_uri(mlflow))


def _document(found: "Listing", synced: "Synced | None") -> dict[str, Any]:
    waiting = found.pending
    told = [asdict(r) | {"pending": r.name in waiting, "verified": not r.damage} for r in found.releases]
    document: dict[str, Any] = {
        "releases": told,
        "pending": found.pending,
        "notes": found.notes,
    }
    return document if synced is None else document | {"synced": asdict(synced)}


def _print(found: "Listing", synced: "Synced | None", where: str) -> None:
    for contract in sorted({each.contract for each in found.releases}):
        _print_table(where, contract, [each for each in found.releases if each.contract == contract])
    notes = [*found.notes, *(f"warning: {each.damage}" for each in found.releases if each.damage)]
    if synced is not None:
        notes += [*(f"registered now: {name}" for name in synced.registered), *synced.notes]
        if synced.away:
            notes.append(f"warning: {synced.away}")
    if found.pending:
        notes.append(f"the registry has yet to be told of {', '.join(found.pending)}")
    print_notes(notes)


def _print_table(where: str, contract: str, found: "Sequence[Listed]") -> None:
    """Print one contract's releases, so narrow that a version is never cut on 80 columns."""
    currency = next((each.currency for each in found if each.currency), "")
    title = f"Releases of {contract} in {where}" + (f", profit an entity in {currency}" if currency else "")
    table = Table(title=plain(title), title_justify="left", header_style="bold", box=SIMPLE, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, no_wrap=column != "data")
    for each in found:
        table.add_row(*map(plain, _row(each)))
    console.print(table)


def _row(each: "Listed") -> tuple[str, ...]:
    return (
        each.version,
        ", ".join(each.roles),
        each.created[:10],
        "-" if each.auc is None else f"{each.auc:.4f}",
        "-" if each.profit is None else f"{each.profit:.4f}",
        "-" if each.rows is None else f"{each.rows:,}",
        "damaged" if each.damage else "verified",
        each.data_sha256[:12],
    )


def _next(found: "Listing") -> list[str]:
    waiting = [each.name for each in found.releases if "challenger" in each.roles and not each.damage]
    back = any("previous" in each.roles for each in found.releases)
    steps = [f"ebb promote {name}" for name in waiting] or ["ebb promote RELEASE"]
    return [*steps, *(["ebb rollback"] if back else []), *(["ebb releases --sync"] if found.pending else [])]
