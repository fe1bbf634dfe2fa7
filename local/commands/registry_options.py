"""Options that the commands about releases share, and what they say to people in common."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import Misuse, NoRelease
from local.terminal import console, next_step, print_facts, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.promote import Promotion

Releases = Annotated[Path, typer.Option("--releases", help="The folder of releases.")]
MlflowUri = Annotated[
    str,
    typer.Option(
        "--mlflow",
        envvar="EBB_MLFLOW_URI",
        metavar="URI",
        help="An MLflow server (http, https, a SageMaker ARN) or database; default: a sqlite file beside the releases.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ContractName = Annotated[str | None, typer.Option("--contract", metavar="NAME", help="The contract's name.")]
DEFAULT_RELEASES = Path("releases")


def only_contract(releases: Path, contract: str | None) -> str:
    """Return the contract that is meant: the named one, else the only one that has releases.

    Raises:
        Misuse: several have, and none is named.
        NoRelease: none has.
    """
    from ebb.folder import FolderReleases  # noqa: PLC0415 - keeps `ebb --help` quick

    if contract is not None:
        return contract
    found = FolderReleases(releases).contracts()
    if not found:
        raise NoRelease(f"there is no release in {releases}: train one with `ebb train`")
    if len(found) > 1:
        raise Misuse(f"{releases} holds releases of several contracts: name one of {', '.join(found)}")
    return found[0]


def print_notes(notes: "Sequence[str]") -> None:
    """Print what people should know, warnings so that they are seen."""
    for note in notes:
        if note.startswith("warning: "):
            console.print(note, style="bold yellow", markup=False)
        else:
            console.print(f"note: {note}", markup=False)


def print_promotion(done: "Promotion", releases: Path, *, as_json: bool) -> None:
    """Print who has which role now, and how a running cloud takes it up."""
    document: dict[str, Any] = {
        "contract": done.contract,
        "champion": done.champion,
        "previous": done.previous,
        "notes": done.notes,
    }
    if as_json:
        print_json(document)
        return
    print_facts(f"Releases of {done.contract}", {"champion": done.champion, "previous": done.previous or "none"})
    print_notes(done.notes)
    console.print("It serves from the next `ebb up` on; a cloud that is up takes it with `ebb route promote`.")
    up = f"ebb up --release {releases / done.contract} --detach"
    next_step(f"ebb route promote {done.champion}" if _cloud_is_up() else up, "ebb releases")


def _cloud_is_up() -> bool:
    from local.supervisor.state import running_state, state_folder  # noqa: PLC0415 - keeps `ebb --help` quick

    return running_state(state_folder()) is not None
