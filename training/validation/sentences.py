"""What a failed expectation says to people: column, value, count, and what to do."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from training.dataset.refusals import short
from training.validation.expected import Expected, Kind, Verdict
from training.validation.finding import CRITICAL, Finding
from training.validation.ranges import shown_bound
from training.validation.suite import LEAST_OF_A_CLASS


def findings_of(verdicts: Iterable[Verdict], rows: int, source: str) -> list[Finding]:
    """Return a finding for each expectation that failed, the critical first.

    What follows from a graver one is not told: a column without any value has no missing rate worth mention.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    empty = {verdict.expected.column for verdict in failed if verdict.expected.kind is Kind.FILLED}
    told = [v for v in failed if v.expected.column not in empty or v.expected.kind is Kind.FILLED]
    found = list(dict.fromkeys(_finding(verdict, rows, source) for verdict in _once(told)))
    return sorted(found, key=lambda finding: finding.severity != CRITICAL)


def _once(failed: list[Verdict]) -> Iterator[Verdict]:
    """Leave out KS where PSI tells of the same column."""
    moved = {verdict.expected.column for verdict in failed if verdict.expected.kind is Kind.PSI}
    for verdict in failed:
        if verdict.expected.kind is not Kind.KS or verdict.expected.column not in moved:
            yield verdict


def _finding(verdict: Verdict, rows: int, source: str) -> Finding:
    expected = verdict.expected
    count = _count(verdict, rows)
    reason = _REASONS[expected.kind](verdict, count, rows, source)
    example = f", such as {short(verdict.value)}" if verdict.value and not expected.personal else ""
    return Finding(expected.severity, expected.column, reason.replace("{example}", example), count)


def _count(verdict: Verdict, rows: int) -> int:
    observed = verdict.observed or 0.0
    match verdict.expected.kind:
        case Kind.MISSING_RATE | Kind.LABEL_RATE:
            return round(observed * rows)
        case Kind.CLASSES:
            return int(min(observed, rows - observed))
        case Kind.FILLED | Kind.VARIES | Kind.PSI | Kind.KS | Kind.EXISTS | Kind.FRESH | Kind.LABEL_POSITIVE:
            return rows
    return round(observed)


def _classes(verdict: Verdict, count: int, rows: int, source: str) -> str:
    name = "positive" if (verdict.observed or 0.0) * 2 <= rows else "negative"
    return too_few(count, name, source)


def too_few(count: int, name: str, source: str) -> str:
    """Say that a class of the label has too few rows."""
    return (
        f"has only {count} {name} rows in {source}, but at least {LEAST_OF_A_CLASS} are needed to learn from and to "
        "judge by: bring more rows"
    )


def _missing(verdict: Verdict, count: int, rows: int, source: str) -> str:
    del count, rows, source
    if verdict.expected.rows:
        return f"is missing in {verdict.observed or 0.0:.1%} of the rows, but {_asked(verdict.expected)} are expected"
    return f"is missing in {verdict.observed or 0.0:.1%} of the rows: is it worth its upkeep?"


def _rate(verdict: Verdict, count: int, rows: int, source: str) -> str:
    del count, rows, source
    share = verdict.observed or 0.0
    if verdict.expected.rows:
        return f"is positive in {share:.2%} of the rows, but {_asked(verdict.expected)} are expected: what changed?"
    return f"is positive in only {share:.2%} of the rows: expect wide errors"


def _asked(expected: Expected) -> str:
    return f"{expected.minimum or 0.0:.2%} to {1.0 if expected.maximum is None else expected.maximum:.2%}"


def _moved(verdict: Verdict, count: int, rows: int, source: str) -> str:
    del count, rows, source
    name = "PSI" if verdict.expected.kind is Kind.PSI else "KS distance"
    return (
        f"has moved against the reference: {name} {verdict.observed or 0.0:.3g}, but chance explains at most "
        f"{verdict.expected.maximum or 0.0:.3g} in {verdict.expected.rows:,} rows"
    )


def _stale(verdict: Verdict, count: int, rows: int, source: str) -> str:
    del count, rows, source
    newest, asked = moment(verdict.observed), moment(verdict.expected.minimum)
    return f"ends at {newest}, but the contract's `max_age` asks for rows since {asked}: is there newer data?"


def _outside(verdict: Verdict, count: int, rows: int, source: str) -> str:
    del rows, source
    least, most = shown_bound(verdict.expected.minimum), shown_bound(verdict.expected.maximum)
    if least is not None and most is not None:
        where = f"is outside {least:.7g} to {most:.7g}"
    elif least is not None:
        where = f"is below {least:.7g}, or infinite,"
    else:
        where = "is infinite or too large" if most is None else f"is above {most:.7g}, or infinite,"
    return f"{where} in {count:,} rows{{example}}"


def moment(seconds: float | None) -> str:
    """Return epoch seconds as a date and time in UTC, or a dash."""
    if seconds is None:
        return "-"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):
        return f"{seconds:g} seconds after 1970"


_REASONS = {
    Kind.EXISTS: lambda _v, _n, _rows, source: f"is not in {source}: add it, or correct the contract",
    Kind.READABLE: lambda _v, n, _rows, _s: f"holds {n:,} values that its kind cannot be read from: correct them",
    Kind.PRESENT: lambda _v, n, _rows, _s: f"is missing in {n:,} rows, but may not be: fill or remove these rows",
    Kind.FILLED: lambda *_: "is missing in every row: remove it from the contract",
    Kind.MISSING_RATE: _missing,
    Kind.VARIES: lambda *_: "holds the same value in every row and adds nothing",
    Kind.GROUPED: lambda _v, n, _rows, _s: f"has {n:,} categories, which are learned poorly: group them",
    Kind.WHOLE: lambda _v, n, _rows, _s: f"is no whole number in {n:,} rows: is its kind `number`?",
    Kind.RANGE: _outside,
    Kind.LISTED: lambda _v, n, _rows, _s: f"holds what the contract does not list in {n:,} rows{{example}}",
    Kind.KEY: lambda v, n, _rows, _s: (
        f"repeats keys in {n:,} rows: each entity may have one row" + (" a moment" if v.expected.beside else "")
    ),
    Kind.LABEL_VALUES: lambda _v, n, _rows, _s: f"has {n:,} values, but a yes/no outcome has two",
    Kind.LABEL_POSITIVE: lambda *_: "never holds the contract's positive value: correct `positive`",
    Kind.LABEL_RATE: _rate,
    Kind.CLASSES: _classes,
    Kind.NOT_AHEAD: lambda _v, n, _rows, _s: f"lies in the future in {n:,} rows: seconds or milliseconds, which clock?",
    Kind.MATURE: lambda _v, n, _rows, _s: (
        f"is so late in {n:,} rows that a negative label cannot be known yet: the label's window is still open"
    ),
    Kind.FRESH: _stale,
    Kind.PSI: _moved,
    Kind.KS: _moved,
}
