"""What was tried on a model beside its figures: strained inputs, single features, the champion's slices."""

from dataclasses import dataclass

from training.evaluation.measured import Measured


@dataclass(frozen=True)
class Strain:
    """What one feature's absence or shift does to the answers.

    Attributes:
        feature: its name.
        what: `missing` (every value blanked, or its default where the contract gives one) or `shifted` (every value
            one standard deviation higher, within the contract's range).
        touched: share of the rows whose value changed.
        auc_lost: how far the AUC falls; None where the rows have one class only.
        profit_lost: per entity, in the decision's currency.
        decisions_changed: share of the rows that would be decided otherwise.
    """

    feature: str
    what: str
    touched: float
    auc_lost: float | None
    profit_lost: float
    decisions_changed: float


@dataclass(frozen=True)
class Robustness:
    """The strains, those that change most decisions first.

    Attributes:
        rows: drawn for it. The graph was fitted on them too, so only the differences tell.
        features: that were strained, the most important ones.
        of: all features.
        strains: the ranking.
    """

    rows: int
    features: int
    of: int
    strains: tuple[Strain, ...]


@dataclass(frozen=True)
class SingleFeature:
    """What one feature tells on its own.

    Attributes:
        feature: its name.
        auc: out of fold, of this feature alone, 0.5 to 1.
        importance: its share of what the model's splits or weights are worth, 0 to 1; None where that is not known.
        suspected: whether the AUC is so high that a leak is suspected.
    """

    feature: str
    auc: float
    importance: float | None
    suspected: bool


@dataclass(frozen=True)
class Leakage:
    """Evidence for or against leaks.

    Attributes:
        rows: looked at.
        singles: the features that tell most on their own, first.
        entities_in_two_folds: entities with rows in several folds.
        by_time: whether folds are stretches of time, in which an entity may well come again.
    """

    rows: int
    singles: tuple[SingleFeature, ...]
    entities_in_two_folds: int
    by_time: bool


@dataclass(frozen=True)
class Slice:
    """A segment in which the new model is worse than the champion, beyond chance.

    Attributes:
        feature: its name.
        name: the category, value or range.
        rows: how many.
        measure: `profit` or `log_loss`.
        worse_by: per row, above 0; the interval is corrected for the number of slices.
    """

    feature: str
    name: str
    rows: int
    measure: str
    worse_by: Measured


@dataclass(frozen=True)
class Slices:
    """The search for slices where the champion is better.

    Attributes:
        judged: slices with enough rows.
        confidence: of each interval, such that all of them hold at once 19 times of 20.
        basis: whose answers were compared, for people.
        found: how many slices are worse.
        worse: those that cost most first, twenty at most.
    """

    judged: int
    confidence: float
    basis: str
    found: int
    worse: tuple[Slice, ...]
