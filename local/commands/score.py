"""`ebb score`: one entity over HTTP, or a whole table with the same graph."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ebb.errors import Misuse
from local.commands.stage_option import Stage, at
from local.terminal import TerminalProgress, age, next_step, print_facts, print_json, print_table


def score(
    entity_id: Annotated[str | None, typer.Argument(help="Whom to score, over HTTP.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Table to score instead (csv, parquet or a folder of parquet).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the scored table goes (csv or parquet; a folder for a folder).")
    ] = None,
    release: Annotated[Path | None, typer.Option(help="Release for --data; default: releases/.")] = None,
    *,
    workers: Annotated[int, typer.Option(min=1, help="Processes that score --data side by side.")] = 1,
    refused: Annotated[
        Path | None, typer.Option(help="Csv file for rows that the contract refuses; the others are scored.")
    ] = None,
    explain: Annotated[bool, typer.Option(help="Add reason codes.")] = False,
    stage: Stage = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Score one entity through the local cloud or a stage, or every row of a table with the same graph.

    Examples:  ebb score 7590-VHVEG --explain
               ebb score 7590-VHVEG --stage dev
               ebb score --data customers.csv --out scored.csv
               ebb score --data months/ --out scored/ --workers 2 --refused refused.csv
    """
    if (entity_id is None) == (data is None):
        raise Misuse("say either an ENTITY_ID or --data TABLE: see `ebb score --help`")
    if data is not None:
        if stage is not None:
            raise Misuse("--stage is for one ENTITY_ID: a table is scored here, with the release's own graph")
        if explain:
            raise Misuse("--explain is for one ENTITY_ID: a scored table carries no reason codes")
        if out is None:
            raise Misuse("--data needs --out: where shall the scored table go?")
        _table(data, out, release, workers=workers, refused=refused, as_json=as_json)
    elif refused is not None or workers > 1:
        raise Misuse("--workers and --refused are for --data TABLE: one ENTITY_ID is scored at once, or refused")
    elif entity_id is not None:
        _entity(entity_id, stage, explain=explain, as_json=as_json)


_FELT = 0.00005
"""A contribution that shows as 0.0000 is left out of the table."""


def _entity(entity_id: str, stage: str | None, *, explain: bool, as_json: bool) -> None:
    from ebb.entity_id import LONGEST, is_entity_id  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.calling import caller_of  # noqa: PLC0415

    if not is_entity_id(entity_id):
        raise Misuse(f"an ENTITY_ID is a text of 1 to {LONGEST} printable characters")
    answer = caller_of(stage).score(entity_id, explain=explain)
    if as_json:
        print_json(answer)
        return
    print_facts(f"Entity {entity_id}", _facts(answer))
    if answer.get("reasons"):
        felt = [r for r in answer["reasons"][:10] if abs(r["contribution"]) >= _FELT]
        rows = [(r["feature"], f"{r['contribution']:+.4f}", r["text"]) for r in felt]
        print_table("Reasons (in probability, against the typical entity)", ["feature", "contribution", ""], rows)
    if not explain:
        next_step(f"ebb score {entity_id} --explain{at(stage)}")


def _facts(answer: dict[str, Any]) -> dict[str, Any]:
    held = answer["features"]
    oldest = f", oldest {age(held['oldest_seconds'])}" if held["oldest_seconds"] is not None else ""
    return {
        "probability": f"{answer['probability']:.4f}",
        "decision": f"{answer['decision']} (acting pays from {answer['threshold']:.4f})",
        "expected profit": f"{answer['expected_profit']:.2f} {answer['currency']}",
        "variant": answer["variant"],
        "release": answer["release"] or f"none; rules {answer['rules_version']}",
        "features from": f"{held['tier']}{oldest}",
        "degraded": "; ".join(answer["degraded_because"]) or "no",
    }


def _table(data: Path, out: Path, release: Path | None, *, workers: int, refused: Path | None, as_json: bool) -> None:
    from ebb.errors import NoRelease  # noqa: PLC0415
    from local.score_table import score_table  # noqa: PLC0415
    from local.serving.release import DEFAULT_RELEASES, find_release  # noqa: PLC0415

    loaded = find_release(release).release
    if loaded is None:
        raise NoRelease("there is no release yet: train one with `ebb train`")
    summary = score_table(loaded, data, out, TerminalProgress(), workers=workers, refused=refused)
    if as_json:
        print_json({**summary, "release": loaded.name, "out": str(out)})
        return
    mean = summary["mean_probability"]
    facts = {
        "act on": f"{summary['acted_on']:,} of {summary['rows']:,}",
        "mean probability": "none: no row was scored" if mean is None else f"{mean:.4f}",
        **_more(summary, refused),
        "written": out,
    }
    print_facts(f"Scored {summary['rows']:,} rows with {loaded.name}", facts)
    if out.is_dir():
        next_step(f"ebb score --data {data} --out {out}  # again: scores new and changed shards only")
    else:
        next_step(f"ebb up --release {release or DEFAULT_RELEASES} --data {data} --detach")


def _more(summary: dict[str, Any], refused: Path | None) -> dict[str, str]:
    """Return what is worth saying of some tables only."""
    facts = {}
    if summary["shards"] > 1:
        facts["shards"] = f"{summary['shards']:,}, of which {summary['already_scored']:,} were scored before"
    if refused is not None:
        facts["refused"] = f"{summary['refused']:,} rows, in {refused}"
    if not summary["keys_compared"]:
        facts["repeated keys"] = "not looked for: there are too many rows to compare"
    return facts
