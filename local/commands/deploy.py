"""`ebb deploy`: from a checkout to a stage that scores."""

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ebb.errors import Misuse
from local.terminal import TerminalProgress, console, errors, next_step, plain, print_facts, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.deploying.deployment import Deployment
    from local.deploying.price import Price
    from local.deploying.run import Taken

_COLOURS = {"done": "green", "already": "cyan", "skipped": "yellow", "would": "bold", "failed": "bold red"}


def deploy(
    *,
    stage: Annotated[str, typer.Option(help="dev, staging or prod.")],
    plan: Annotated[bool, typer.Option("--plan", help="Say what would happen, and the cost; change nothing.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="STEP", help="One step; repeatable.")] = None,
    release: Annotated[
        Path | None, typer.Option(help="Release to publish: its folder; default: the local champion.")
    ] = None,
    features: Annotated[Path | None, typer.Option(help="Table whose features are loaded: csv or parquet.")] = None,
    rps: Annotated[float, typer.Option(help="With --plan: requests a second that are priced.")] = 10.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, also where a stage keeps its data (prod).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Deploy a stage: check, cdk, users, migrate, release, routing, features, verify.

    Each step finds out whether it is done already: run it again after whatever ended it, and it goes on. It needs AWS
    credentials of the account; --plan without them tells what is known without.

    Examples:  ebb deploy --stage dev --plan
               ebb deploy --stage dev --features customers.parquet
               ebb deploy --stage prod --only release --release releases/telco/0123456789ab
    """
    from local.deploying.run import look, take  # noqa: PLC0415 - keeps `ebb --help` quick

    with _deployment(stage, only, release, features, as_json=as_json) as at:
        if plan:
            _print_plan(at, list(_told(look(at), as_json=as_json)), rps, as_json=as_json)
            return
        _confirm(at, yes=yes)
        try:
            taken = list(_told(take(at), as_json=as_json))
        except KeyboardInterrupt:
            errors.print("What was done stays, and CloudFormation ends what it began; the same command goes on.")
            raise
        _print(at, taken, as_json=as_json)


@contextmanager
def _deployment(
    name: str, only: list[str] | None, release: Path | None, features: Path | None, *, as_json: bool
) -> "Iterator[Deployment]":
    """Lend what the steps work with; nobody else deploys this stage from here meanwhile."""
    from cdk.stage import BadStage  # noqa: PLC0415 - keeps `ebb --help` quick
    from cdk.stages import stage_named  # noqa: PLC0415 - as above
    from local.calling import caller_of  # noqa: PLC0415 - as above
    from local.deploying.aws import Aws  # noqa: PLC0415 - as above
    from local.deploying.deployment import Deployment  # noqa: PLC0415 - as above
    from local.deploying.run import chosen  # noqa: PLC0415 - as above
    from local.servers.lock import FolderLock  # noqa: PLC0415 - as above
    from local.supervisor.state import make_state_folder, state_folder  # noqa: PLC0415 - as above
    from training.progress import Silent  # noqa: PLC0415 - as above

    try:
        stage = stage_named(name)
    except BadStage as error:
        raise Misuse(str(error).replace("-c stage=...", "--stage")) from None
    steps, folder = chosen(only), state_folder() / "deploy" / name
    make_state_folder(folder)
    lock = FolderLock.take(folder, f"the deployment of {name}")
    try:
        progress = Silent() if as_json else TerminalProgress()
        yield Deployment(stage, Aws(stage.region), caller_of(name), progress, folder, release, features, steps)
    finally:
        lock.release()


def _confirm(at: "Deployment", *, yes: bool) -> None:
    """Ask where a mistake could not be undone.

    Raises:
        Misuse: nobody can be asked.
        Abort: the answer was no.
    """
    if yes or not at.stage.keep:
        return
    if not sys.stdin.isatty():
        raise Misuse(f"the stage {at.stage.name!r} keeps its data: look at `--plan`, then say --yes")
    typer.confirm(f"Deploy {at.stage.name} in account {at.account}, {at.stage.region}?", abort=True, err=True)


def _told(steps: "Iterator[Taken]", *, as_json: bool) -> "Iterator[Taken]":
    """Say how each step ended as soon as it has."""
    for each in steps:
        if not as_json:
            colour = _COLOURS[each.outcome.state]
            errors.print(f"[{colour}]{each.outcome.state:<8}[/{colour}] {each.name:<9} {plain(each.outcome.sentence)}")
        yield each


def _print(at: "Deployment", taken: "list[Taken]", *, as_json: bool) -> None:
    failed = taken[-1].error
    if as_json:
        print_json(_document(at, taken))
    else:
        rows = [(each.name, each.outcome.state, f"{each.seconds:.1f}") for each in taken]
        print_table(f"Stage {at.stage.name}", ("step", "", "seconds"), rows)
    if failed is not None:
        raise failed
    if not as_json:
        console.print(f"{plain(at.stage.name)} stands in {at.stage.region}, account {at.account}: {_address(at)}")
        name = at.stage.name
        next_step(f"ebb score ENTITY_ID --stage {name}", f"ebb route show --stage {name}", f"ebb cost --stage {name}")


def _print_plan(at: "Deployment", looked: "list[Taken]", rps: float, *, as_json: bool) -> None:
    from local.deploying.price import price_of  # noqa: PLC0415 - keeps `ebb --help` quick

    price = price_of(at, rps)
    if as_json:
        print_json({**_document(at, looked), "usd_a_month": asdict(price)})
    else:
        print_facts("A month", _priced(price))
        if at.offline:
            console.print(f"[yellow]AWS was not asked: {plain(at.offline)}.[/yellow]")
        next_step(f"ebb deploy --stage {at.stage.name}", f"ebb cost --stage {at.stage.name} --rps {rps:g}")
    for each in looked:
        if each.error is not None:
            raise each.error


def _priced(price: "Price") -> dict[str, str]:
    return {"idle": f"${price.idle:,.2f}", f"at {price.rps:g} a second": f"${price.loaded:,.2f}"}


def _document(at: "Deployment", taken: "list[Taken]") -> dict[str, Any]:
    return {
        "stage": at.stage.name,
        "region": at.stage.region,
        "account": None if at.offline else at.account,
        "address": _address(at),
        "steps": [{"step": each.name, "seconds": round(each.seconds, 3), **asdict(each.outcome)} for each in taken],
    }


def _address(at: "Deployment") -> str | None:
    """Return where to send requests; None where that is not known yet."""
    stack = None if at.offline else at.stack("inference")
    return stack.outputs.get("Address") if stack else None
