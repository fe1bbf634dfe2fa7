"""The suite of a contract: what is expected of a table, and how bad it is where that fails."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ebb.contract import Contract, Feature, Kind, Unseen
from ebb.release.reference import Reference
from training.dataset.label import same_value
from training.validation.drift import FALSE_ALARM_RATE, bins_of, ks_limit, psi_limit, rate_bounds
from training.validation.expected import Expected
from training.validation.expected import Kind as Asked
from training.validation.finding import CRITICAL, WARNING
from training.validation.ranges import float32_range

LEAST_OF_A_CLASS = 50
LEAST_RATE = 0.005
MOST_MISSING = 0.9
MANY_CATEGORIES = 1_000
DAY = 86_400.0


@dataclass(frozen=True)
class Seen:
    """What a suite has to know of the table before it can be derived.

    Attributes:
        columns: the table's.
        rows: its rows.
        now: the moment of judging, epoch seconds.
        labelled: whether it is a table to learn from.
        whole: whether every row is judged; a sample cannot tell whether there are too few rows of a class.
        filled: columns in which nothing is missing.
        independent: rows that say something of their own: entities, where an entity has several rows; 0 is all.
    """

    columns: frozenset[str]
    rows: int
    now: float
    labelled: bool = True
    whole: bool = True
    filled: frozenset[str] = frozenset()
    independent: int = 0


def suite_of(contract: Contract, seen: Seen, reference: Reference | None = None) -> tuple[Expected, ...]:
    """Derive the expectations of a table that follows a contract.

    Args:
        contract: what the table must fit.
        seen: the table's size and columns.
        reference: what drift is measured against; without it drift is not judged.
    """
    found = [*_key(contract, seen), *_times(contract, seen)]
    if seen.labelled:
        found.extend(_label(contract, seen, judged=reference is not None))
    for feature in contract.features:
        found.append(Expected(Asked.EXISTS, feature.column, CRITICAL))
        if feature.column in seen.columns:
            found.extend(_values(feature))
            found.extend(_amounts(feature, seen, judged=reference is not None))
    if reference is not None:
        found.extend(_drift(contract, seen, reference))
    return tuple(found)


def _key(contract: Contract, seen: Seen) -> Iterator[Expected]:
    key = contract.entity_column
    if key is None:
        return
    yield Expected(Asked.EXISTS, key, CRITICAL)
    if key in seen.columns:
        when = contract.event_time if seen.labelled and contract.event_time in seen.columns else None
        yield Expected(Asked.PRESENT, key, CRITICAL, personal=True)
        yield Expected(Asked.KEY, key, CRITICAL, beside=when or "", personal=True)


def _times(contract: Contract, seen: Seen) -> Iterator[Expected]:
    when = contract.event_time
    if when is None:
        return
    yield Expected(Asked.EXISTS, when, CRITICAL)
    if when not in seen.columns:
        return
    yield Expected(Asked.PRESENT, when, CRITICAL)
    yield Expected(Asked.NOT_AHEAD, when, CRITICAL, maximum=seen.now + DAY)
    window = contract.label.window_days * DAY if seen.labelled else 0.0
    ages = [feature.max_age for feature in contract.features if feature.max_age is not None]
    if ages:
        yield Expected(Asked.FRESH, when, WARNING, minimum=seen.now - min(ages) - window)
    if window:
        yield Expected(Asked.MATURE, when, WARNING, maximum=seen.now - window)


def _values(feature: Feature) -> Iterator[Expected]:
    column, personal = feature.column, feature.personal
    yield Expected(Asked.READABLE, column, CRITICAL, personal=personal)
    if not feature.missing:
        yield Expected(Asked.PRESENT, column, CRITICAL, personal=personal)
    if feature.is_category:
        if feature.categories:
            severity = CRITICAL if feature.unseen is Unseen.REFUSE else WARNING
            yield Expected(Asked.LISTED, column, severity, among=feature.categories, personal=personal)
    elif feature.kind is Kind.FLAG:
        yield Expected(Asked.LISTED, column, CRITICAL, among=(0.0, 1.0), personal=personal)
    else:
        least, most = float32_range(feature.minimum, feature.maximum)
        yield Expected(Asked.RANGE, column, CRITICAL, minimum=least, maximum=most, personal=personal)
        if feature.kind is Kind.INTEGER:
            yield Expected(Asked.WHOLE, column, CRITICAL, personal=personal)


def _amounts(feature: Feature, seen: Seen, *, judged: bool) -> Iterator[Expected]:
    column = feature.column
    if feature.missing:
        yield Expected(Asked.FILLED, column, CRITICAL, minimum=1)
        if not judged:
            yield Expected(Asked.MISSING_RATE, column, WARNING, minimum=0.0, maximum=MOST_MISSING)
    if column in seen.filled:
        yield Expected(Asked.VARIES, column, WARNING, minimum=2)
    if feature.is_category:
        yield Expected(Asked.GROUPED, column, WARNING, maximum=MANY_CATEGORIES - 1)


def _label(contract: Contract, seen: Seen, *, judged: bool) -> Iterator[Expected]:
    column, yes = contract.label.column, (same_value(contract.label.positive),)
    yield Expected(Asked.EXISTS, column, CRITICAL)
    if column not in seen.columns:
        return
    yield Expected(Asked.PRESENT, column, CRITICAL, personal=True)
    yield Expected(Asked.LABEL_VALUES, column, CRITICAL, minimum=2, maximum=2)
    yield Expected(Asked.LABEL_POSITIVE, column, CRITICAL, among=yes)
    if seen.whole:
        most = seen.rows - LEAST_OF_A_CLASS
        yield Expected(Asked.CLASSES, column, CRITICAL, minimum=LEAST_OF_A_CLASS, maximum=most, among=yes)
    if not judged:
        yield Expected(Asked.LABEL_RATE, column, WARNING, minimum=LEAST_RATE, maximum=1.0, among=yes)


def _drift(contract: Contract, seen: Seen, reference: Reference) -> Iterator[Expected]:
    """Every drift expectation; all of them share the false alarm rate (Bonferroni)."""
    rows = seen.independent or seen.rows
    judged = [f for f in contract.features if f.column in seen.columns and f.name in reference.features]
    alpha = FALSE_ALARM_RATE / max(1, sum(3 - f.is_category for f in judged) + 1)
    for feature in judged:
        entry = reference.features[feature.name]
        if feature.missing:
            least, most = rate_bounds(int(entry["missing"]), reference.rows, rows, alpha)
            yield Expected(Asked.MISSING_RATE, feature.column, WARNING, minimum=least, maximum=most, rows=rows)
        bins = bins_of(entry, rows)
        if bins is None:
            continue
        limit = psi_limit(rows, bins, alpha)
        yield Expected(Asked.PSI, feature.column, WARNING, maximum=limit, bins=bins, rows=rows)
        if not feature.is_category:
            limit = ks_limit(rows, bins, alpha)
            yield Expected(Asked.KS, feature.column, WARNING, maximum=limit, bins=bins, rows=rows)
    if seen.labelled and contract.label.column in seen.columns:
        label, positives = contract.label, round(reference.class_rate * reference.rows)
        least, most = rate_bounds(positives, reference.rows, rows, alpha)
        yes = (same_value(label.positive),)
        yield Expected(Asked.LABEL_RATE, label.column, WARNING, minimum=least, maximum=most, among=yes, rows=rows)


def holds_events(contract: Contract, columns: Collection[str]) -> bool:
    """Tell whether a table holds the events that features are built from, and not the features.

    Events may hold columns that are named as features are, so the moments decide: events have their own, and a table
    that was built has its snapshot's, or the label, or every feature.
    """
    if contract.events is None:
        return False
    features = [feature.column in columns for feature in contract.features]
    if contract.events.time not in columns:
        return contract.events.entity in columns and not any(features)
    moment = contract.event_time if contract.event_time != contract.events.time else None
    return moment not in columns and contract.label.column not in columns and not all(features)


def events_suite(contract: Contract, seen: Seen) -> tuple[Expected, ...]:
    """Derive what is expected of the events that a contract builds its features from."""
    if contract.events is None:
        return ()
    found = []
    for column in (contract.events.entity, contract.events.time):
        found.append(Expected(Asked.EXISTS, column, CRITICAL))
        if column in seen.columns:
            found.append(Expected(Asked.FILLED, column, CRITICAL, minimum=1, personal=True))
            found.append(Expected(Asked.MISSING_RATE, column, WARNING, minimum=0.0, maximum=MOST_MISSING))
    when = contract.events.time
    if when in seen.columns:
        found.append(Expected(Asked.NOT_AHEAD, when, CRITICAL, maximum=seen.now + DAY))
        ages = [feature.max_age for feature in contract.features if feature.max_age is not None]
        if ages:
            found.append(Expected(Asked.FRESH, when, WARNING, minimum=seen.now - min(ages)))
    return tuple(found)
