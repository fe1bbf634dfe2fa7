"""What a table seems to hold."""

from dataclasses import dataclass

from ebb.contract import Feature, Label, Rules


@dataclass(frozen=True)
class Guess:
    """One column taken as a feature.

    Attributes:
        feature: as it will stand in the contract.
        missing_rate: share of rows without a value.
        told: sentences for review, such as the range seen; never a value of a personal feature.
        auc: how well the feature alone ranks the label on rows it was not fitted on, 0.5 to 1.
        leak: whether that is too good to be true.
        gives: what of it stands only in rows of one outcome, in words; "" where nothing does.
        afterwards: whether its name sounds like something known only after the outcome.
    """

    feature: Feature
    missing_rate: float
    told: tuple[str, ...]
    auc: float = 0.5
    leak: bool = False
    gives: str = ""
    afterwards: bool = False


@dataclass(frozen=True)
class LeftOut:
    """One column that is no feature, and why.

    Attributes:
        column: its name.
        reason: why.
        feature: what it would be, where people may decide otherwise.
    """

    column: str
    reason: str
    feature: Feature | None = None


@dataclass(frozen=True)
class Description:
    """A first contract, with what should be said about it.

    Attributes:
        name: of the contract.
        rows: of the table.
        label: column and positive value.
        label_told: how the positive value was found.
        positive_rate: share of rows with the positive value.
        entity: key column; None means the row's number.
        entity_told: why that column, or why none.
        guesses: the features, in the table's order.
        left_out: the other columns.
        rules: a fallback score.
        event_time: column of the moments, where the table holds entities at several; None elsewhere.
    """

    name: str
    rows: int
    label: Label
    label_told: str
    positive_rate: float
    entity: str | None
    entity_told: str
    guesses: tuple[Guess, ...]
    left_out: tuple[LeftOut, ...]
    rules: Rules
    event_time: str | None = None
