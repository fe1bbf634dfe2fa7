"""What a contract says of one feature."""

from dataclasses import dataclass
from enum import StrEnum

Value = float | int | bool | str | None
"""A raw feature value as JSON carries it; None is missing."""


class Kind(StrEnum):
    """What a feature's raw value is; number, integer and flag enter the graph as float32, category as text."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    FLAG = "flag"


class WhenStale(StrEnum):
    """What happens to a prediction when a value is older than its `max_age`."""

    SERVE = "serve"
    DEGRADE = "degrade"
    REFUSE = "refuse"


class Unseen(StrEnum):
    """Whether a category outside the listed ones may be scored."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Written(StrEnum):
    """How tables spell a number or integer; requests always carry the number itself.

    Dates, also typed ones, become days since 1970-01-01 (UTC where they name no zone), with the time of day as a
    fraction. Separators of dates may be `-`, `/` or `.`; a time of day and a zone may follow.
    """

    PLAIN = "plain"
    POINT = "1,234.5"
    COMMA = "1.234,5"
    YEAR_FIRST = "yyyy-mm-dd"
    DAY_FIRST = "dd/mm/yyyy"
    MONTH_FIRST = "mm/dd/yyyy"
    MONTH_NAMED = "5 January 2024"
    COMPACT = "yyyymmdd"
    SECONDS = "epoch seconds"
    MILLISECONDS = "epoch milliseconds"

    @property
    def is_date(self) -> bool:
        """Whether it spells moments rather than amounts."""
        return self not in {Written.PLAIN, Written.POINT, Written.COMMA}


@dataclass(frozen=True)
class Feature:
    """One named, typed input.

    Attributes:
        name: the name in requests, stores and graphs.
        column: the name in the table, where it differs.
        kind: what the raw value is.
        unit: its unit, for people.
        minimum, maximum: inclusive range of number and integer; None is open.
        categories: the known categories of a category; empty means any text.
        unseen: whether a category outside the known ones may be scored.
        missing: whether the value may be absent.
        default: what stands in when a stored value is absent.
        max_age: seconds after which a stored value is stale; None never.
        when_stale: what to do then.
        ttl: seconds that the fast tier keeps it.
        personal: never in a log or metric.
        protected: a group for fairness.
        owner, description: for people.
        reason: a few words for reason codes, true of every value and either sign; empty: see `reason_text`.
        written: how tables spell it; see `Written`.
        sql: the file beside the contract that builds it from events; None where the table brings it.
    """

    name: str
    column: str
    kind: Kind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    unseen: Unseen = Unseen.ALLOW
    missing: bool = False
    default: Value = None
    max_age: float | None = None
    when_stale: WhenStale = WhenStale.SERVE
    ttl: float | None = None
    personal: bool = False
    protected: bool = False
    owner: str = ""
    description: str = ""
    sql: str | None = None
    reason: str = ""
    written: Written = Written.PLAIN

    @property
    def is_category(self) -> bool:
        """Whether the value enters the graph as text."""
        return self.kind is Kind.CATEGORY

    @property
    def reason_text(self) -> str:
        """What a reason code calls the feature: its `reason`, else its description, else its name in words."""
        return self.reason or self.description or self.name.replace("_", " ").strip() or self.name
