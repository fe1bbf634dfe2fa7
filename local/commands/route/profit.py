"""`ebb route profit`: what a cheap release would save and lose."""

from pathlib import Path
from typing import Annotated

import typer

from ebb.errors import Misuse
from local.terminal import TerminalProgress, next_step, print_facts, print_json, print_table


def profit(
    data: Annotated[Path, typer.Argument(metavar="TABLE", help="Rows whose outcome is known (csv or parquet).")],
    cheap: Annotated[Path, typer.Option(help="The cheap release's folder.")],
    champion: Annotated[Path | None, typer.Option(help="The champion's folder; default: releases/.")] = None,
    weight: Annotated[float, typer.Option(help="Share of the entities that are sent to the cheap release.")] = 0.1,
    margin: Annotated[list[float] | None, typer.Option(help="Margin to judge; default: several.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Compare the champion for all with a share of the entities for the cheap release, on known outcomes.

    Example:  ebb route profit customers.csv --cheap releases/telco/ba9876543210 --weight 0.3 --margin 0.1
    """
    from local.cheap_profit import MARGINS, compare_cheap  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.serving.release import find_release  # noqa: PLC0415

    best, quick = find_release(champion).release, find_release(cheap).release
    if best is None or quick is None:
        raise Misuse("there is no release to compare with: name one with --champion, or train one with `ebb train`")
    if best.contract.name != quick.contract.name:
        raise Misuse(f"{cheap} is a release of {quick.contract.name!r}, and the champion's is {best.contract.name!r}")
    report = compare_cheap(best, quick, data, TerminalProgress(), weight=weight, margins=margin or MARGINS)
    if as_json:
        print_json({"champion": best.name, "cheap": quick.name, **report.document()})
        return
    print_facts(
        f"{quick.name} for {weight:.0%} of the entities, instead of {best.name}",
        {
            "rows with an outcome": f"{report.rows:,}",
            "champion for all earns": f"{report.champion_profit:.4f} {report.currency} an entity",
            "one row in the graph": f"{report.champion_ms:.3f} ms champion, {report.cheap_ms:.3f} ms cheap",
        },
    )
    rows = [
        (
            f"{p.margin:g}",
            f"{p.cheap_share:.1%}",
            f"{p.graph_ms:.4f}",
            f"{1000 * p.lost:+.2f}",
            f"{1000 * p.lost_low:+.2f} to {1000 * p.lost_high:+.2f}",
        )
        for p in report.policies
    ]
    lost = f"lost per 1,000 ({report.currency})"
    print_table("By margin", ["margin", "answered cheaply", "graph ms", lost, "95 % interval"], rows)
    next_step(f"ebb route set --cheap {quick.manifest.version}={weight:g} --margin MARGIN")
