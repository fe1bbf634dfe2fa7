"""`ebb evaluate`: what a release is worth on rows whose outcome is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ebb.errors import NoRelease
from local.terminal import TerminalProgress, console, next_step, print_facts, print_json, print_table

if TYPE_CHECKING:
    from training.evaluation.fair_groups import Fairness
    from training.evaluation.measured import Measured
    from training.evaluation.model import Evaluation, Money

_MOST_SEGMENTS, _MOST_STRAINS = 10, 8


def evaluate(
    data: Annotated[Path, typer.Option(help="Rows whose outcome is known (csv or parquet).")],
    release: Annotated[Path | None, typer.Option(help="Folder of the release; default: releases/.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Judge a release on a labelled table: ranking, calibration, money, groups, segments, strained inputs.

    Intervals are 95 %. Nothing is written and no gate decides; the names in --json are those of metrics.json.

    Example:  ebb evaluate --release releases/telco/ba9876543210 --data customers.csv
    """
    from local.serving.release import find_release  # noqa: PLC0415
    from training.evaluation.table import judge_table  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.progress import Silent  # noqa: PLC0415

    loaded = find_release(release).release
    if loaded is None:
        raise NoRelease("there is no release yet: train one with `ebb train`")
    judged = judge_table(loaded, data, Silent() if as_json else TerminalProgress())
    if as_json:
        print_json(judged.document())
        return
    _print(judged.release, judged.evaluation)
    for note in judged.notes:
        console.print(f"note: {note}", markup=False)
    next_step(f"ebb score --data {data} --out scored.csv", f"ebb train --contract CONTRACT --data {data}")


def _print(name: str, found: "Evaluation") -> None:
    money, after = found.money, found.reliability.after
    print_facts(
        f"Release {name} on {found.rows:,} rows of {found.entities:,} entities",
        {
            "positive": f"{found.class_rate:.1%}, answered {found.mean_probability:.1%} on average",
            "AUC": _ranged(found, "auc"),
            "average precision": _ranged(found, "average_precision"),
            "calibration error": f"{_ranged(found, 'calibration_error')}; {after.error_if_perfect:.4f} is chance",
            "Brier, log loss": f"{_ranged(found, 'brier')}, {_ranged(found, 'log_loss')}",
            "acted on": f"{found.acted_on:.1%}, from a probability of {found.threshold:.4f}",
        },
    )
    _print_money(money)
    for fairness in found.fairness:
        _print_groups(fairness)
    _print_segments(found)
    if found.robustness is not None:
        rows = [
            (s.feature, s.what, f"{s.decisions_changed:.1%}", f"{s.profit_lost:+.4f}", _or_dash(s.auc_lost, "+.4f"))
            for s in found.robustness.strains[:_MOST_STRAINS]
        ]
        title = f"If a feature is missing or shifted ({found.robustness.rows:,} rows)"
        print_table(title, ("feature", "", "decided otherwise", f"{money.currency} lost", "AUC lost"), rows)


def _print_money(money: "Money") -> None:
    best = f"acting from {money.best_threshold.value:.4f}, the best on these rows"
    rows = [
        (f"acting from {money.threshold:.4f}, as the contract says", _figure(money.profit)),
        (best, _figure(money.best_profit)),
        ("acting on everyone", _figure(money.everyone)),
        ("the contract's over everyone", _figure(money.over_everyone)),
        ("expected maximum, the success rate uncertain", _figure(money.expected_maximum)),
    ]
    print_table(f"Profit an entity in {money.currency} (acting on no one: 0)", ("", "95 % interval"), rows)


def _print_groups(found: "Fairness") -> None:
    rows = [
        (g.name, f"{g.rows:,}", f"{g.positives:.1%}", _or_dash(g.mean_probability, ".1%"), f"{g.acted_on:.1%}",
         _or_dash(g.found, ".1%"))
        for g in found.groups
    ]  # fmt: skip
    heads = (found.feature, "rows", "positive", "answered", "acted on", "of positives")
    print_table(f"Groups of {found.feature}", heads, rows)
    gaps = {
        "demographic parity gap": found.parity,
        "equal opportunity gap": found.opportunity,
        "calibration error of a group": found.calibration,
    }
    for name, gap in gaps.items():
        console.print(f"  {name}: {'not judged' if gap is None else _figure(gap)}", markup=False)
    if found.too_small:
        named = ", ".join(f"{g.name} ({g.rows})" for g in found.not_judged)
        console.print(f"  too few rows to judge {found.too_small:,} groups: {named}", markup=False)


def _print_segments(found: "Evaluation") -> None:
    """Print the segments that are furthest from being calibrated, for how many rows they have."""
    furthest = sorted(found.segments, key=lambda s: -abs(s.calibration.value) * s.rows**0.5)[:_MOST_SEGMENTS]
    rows = [
        (s.feature, s.name, f"{s.rows:,}", f"{s.positives:.1%}", _figure(s.calibration), _or_dash(s.auc, ".3f"),
         _figure(s.profit))
        for s in furthest
    ]  # fmt: skip
    if rows:
        heads = ("feature", "segment", "rows", "positive", "answered too high by", "AUC", "profit")
        print_table(f"Segments furthest off, of {len(found.segments)}", heads, rows)


def _ranged(found: "Evaluation", name: str) -> str:
    interval = found.intervals[name]
    value = f"{getattr(found, name):.4f}"
    return value if interval is None else f"{value} ({interval.low:.4f} to {interval.high:.4f})"


def _figure(figure: "Measured") -> str:
    value = f"{figure.value:.4f}"
    return value if figure.low is None else f"{value} ({figure.low:.4f} to {figure.high:.4f})"


def _or_dash(value: float | None, shape: str) -> str:
    return "-" if value is None else format(value, shape)
