"""What whoever decides about a release should weigh first, in sentences, the weightiest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ebb.contract.model import Contract
from training.card.wording import amount, count, decimals, has_interval, known, percent, points, short

WARNING = "warning: "
_FAR = 0.10
"""Share of the decisions, from which the loss of one feature is told."""
_ALONE = 0.5
"""Share of the model's worth, from which resting on one feature is told."""
_OFF = 2.0
"""Times the calibration error of perfect probabilities, from which it is more than chance."""


def concerns(contract: Contract, metrics: Mapping[str, Any]) -> list[str]:
    """Return what to weigh.

    Args:
        contract: of the release.
        metrics: as in `metrics.json`.
    """
    return [
        *_of_gates(metrics),
        *(note.removeprefix(WARNING) for note in metrics["notes"] if note.startswith(WARNING)),
        *_of_money(contract, metrics),
        *_of_champion(metrics),
        *_of_leaks(metrics),
        *_of_groups(contract, metrics),
        *_of_quality(contract, metrics),
        *_of_inputs(metrics),
        *_of_search(metrics),
    ]


def _of_gates(metrics: Mapping[str, Any]) -> Iterator[str]:
    for gate in metrics["gates"]:
        if gate["verdict"] == "failed":
            yield f"It fails {gate['name']}."


def _of_money(contract: Contract, metrics: Mapping[str, Any]) -> Iterator[str]:
    money, currency = metrics["money"], contract.decision.currency
    if money["threshold"] > 1:
        yield "By the contract's figures acting never pays, whatever is answered."
    elif metrics["acted_on"] == 0:
        yield "It would act on no one: no answer reaches the threshold."
    profit, over = money["profit"], money["over_everyone"]
    if has_interval(profit) and profit["low"] <= 0 < metrics["acted_on"]:
        yield f"Acting by it may earn nothing: {_span(profit, currency)} per entity."
    if has_interval(over) and over["low"] <= 0 and metrics["profit_everyone"] > 0:
        yield f"It may earn no more than acting on everyone does: {_span(over, currency)} more per entity."


def _of_champion(metrics: Mapping[str, Any]) -> Iterator[str]:
    champion = metrics["champion"]
    if champion is None:
        return
    over, slices, currency = champion["over"], champion["slices"], metrics["money"]["currency"]
    if has_interval(over) and over["low"] <= 0:
        yield f"Whether it earns more than the champion is not certain: {_span(over, currency)} more per entity."
    elif over is None and metrics["profit"] <= champion["profit"]:
        yield (
            f"It earns no more than the champion: {amount(metrics['profit'])} against {amount(champion['profit'])} "
            f"{currency} per entity."
        )
    if slices is not None and slices["found"]:
        yield f"In {count(slices['found'])} of {count(slices['judged'])} segments the champion is better beyond chance."


def _of_leaks(metrics: Mapping[str, Any]) -> Iterator[str]:
    leakage = metrics["leakage"]
    if leakage is None:
        return
    for single in leakage["singles"]:
        if single["suspected"]:
            yield (
                f"“{short(single['feature'])}” alone ranks almost perfectly (AUC {decimals(single['auc'])}): find out "
                "whether it is written before the outcome is known."
            )
        elif known(single["importance"]) and single["importance"] >= _ALONE:
            share = percent(single["importance"], 0)
            yield f"{share} of the model's worth rests on “{short(single['feature'])}” alone."
    if leakage["entities_in_two_folds"] and not leakage["by_time"]:
        entities = count(leakage["entities_in_two_folds"])
        yield f"{entities} entities stand in several folds, which flatters every figure."


def _of_groups(contract: Contract, metrics: Mapping[str, Any]) -> Iterator[str]:
    fairness, gates = metrics["fairness"], contract.gates
    if not fairness:
        yield "The contract marks no feature as protected, so no groups were compared."
    asked = (
        ("parity", gates.max_fairness_gap, "the shares acted on differ"),
        ("opportunity", gates.max_opportunity_gap, "the shares of positives that are found differ"),
    )
    wide = [said for key, limit, differ in asked if limit is None and (said := _widest(fairness, key, differ))]
    if wide:
        told = ", and ".join(wide)
        yield f"{told[0].upper()}{told[1:]}. The contract sets no bound for that: people have to decide."
    small = sum(feature["too_small"] for feature in fairness)
    if small:
        groups = "1 group has" if small == 1 else f"{count(small)} groups have"
        yield f"{groups} fewer than {gates.smallest_group} rows: whether it treats them well is not known."


def _widest(fairness: Sequence[Mapping[str, Any]], key: str, differ: str) -> str:
    """Return the widest gap of a kind in words; empty where no groups were compared."""
    found = [feature for feature in fairness if feature[key] is not None]
    if not found:
        return ""
    widest = max(found, key=lambda feature: float(feature[key]["value"]))
    gap = widest[key]
    span = f" ({points(gap['low'])} to {points(gap['high'])})" if has_interval(gap) else ""
    return f"{differ} by {points(gap['value'])} points{span} between the groups of “{short(widest['feature'])}”"


def _of_quality(contract: Contract, metrics: Mapping[str, Any]) -> Iterator[str]:
    after, auc = metrics["reliability"]["after"], metrics["intervals"]["auc"]
    if auc is None:
        yield "There are too few entities for intervals: every figure could be chance."
    elif auc["low"] < contract.gates.min_auc <= metrics["auc"]:
        yield f"On other rows its AUC could fall below the gate ({decimals(auc['low'])})."
    chance = after["error_if_perfect"]
    if has_interval(after["error"]) and after["error"]["low"] > chance and after["error"]["value"] > _OFF * chance:
        yield "Its probabilities are further off than chance explains: see the reliability diagram."
    if not metrics["search"]["folds"]["temporal"]:
        yield "It was not judged on rows that are later than those it learned from."


def _of_inputs(metrics: Mapping[str, Any]) -> Iterator[str]:
    strains = [] if metrics["robustness"] is None else metrics["robustness"]["strains"]
    missing = [strain for strain in strains if strain["what"] == "missing" and strain["decisions_changed"] >= _FAR]
    if missing:
        worst = missing[0]
        yield (
            f"Without “{short(worst['feature'])}” {percent(worst['decisions_changed'], 0)} of its decisions would be "
            "others: watch that it arrives."
        )


def _of_search(metrics: Mapping[str, Any]) -> Iterator[str]:
    search = metrics["search"]
    if search["given_up"]:
        yield f"The budget was too short for the whole table: {search['given_up']}."
    if search["skipped"]:
        yield f"The budget was too short to try {', '.join(map(short, search['skipped']))}."
    if search["states"].get("failed"):
        failed = search["states"]["failed"]
        yield f"{count(failed)} candidates failed." if failed > 1 else "One candidate failed."


def _span(measured: Mapping[str, Any], currency: str) -> str:
    return f"{amount(measured['value'])} ({amount(measured['low'])} to {amount(measured['high'])}) {currency}"
