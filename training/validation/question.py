"""What is asked of a table in a file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ebb.contract import Contract
from ebb.release.reference import Reference
from training.dataset.accept import wanted_by
from training.dataset.wanted import Wanted
from training.events.engine import MEMORY


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    Attributes:
        contract: what it should fit.
        reference: of a release, for drift; None asks nothing of it.
        labelled: whether it is a table to learn from.
        profiled: whether to judge a profile; None decides by size.
        docs: whether to render the data docs.
        outcome_time: column of the moment that the outcome happened; "" where there is none.
        test: a second table, to be held against the first as its test.
        now: the moment of judging, epoch seconds; 0 is now.
        memory: the profile's limit, as DuckDB writes it.
    """

    contract: Contract
    reference: Reference | None = None
    labelled: bool = True
    profiled: bool | None = None
    docs: bool = False
    outcome_time: str = ""
    test: Path | None = None
    now: float = 0.0
    memory: str = MEMORY

    def needed(self, names: frozenset[str]) -> list[str]:
        """Return the columns that the question is about, of those that a table has."""
        contract = self.contract
        asked = [f.column for f in contract.features]
        asked += [contract.entity_column or "", contract.event_time or "", contract.label.column, self.outcome_time]
        return [name for name in dict.fromkeys(asked) if name in names]

    def wanted(self, names: frozenset[str]) -> Wanted:
        """Return the same columns with how their texts are held: as training holds them, so that both read alike."""
        return replace(wanted_by(self.contract, labelled=self.labelled), columns=self.needed(names))


def edges_of(contract: Contract, reference: Reference | None) -> Mapping[str, tuple[float, ...]]:
    """Return the edges of the reference's bins, by column of a number."""
    known = {} if reference is None else reference.features
    numbers = [feature for feature in contract.numbers if feature.name in known]
    return {feature.column: tuple(known[feature.name].get("edges", ())) for feature in numbers}
