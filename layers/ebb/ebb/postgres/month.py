"""One month of the history, and the name of its partition."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, order=True)
class Month:
    """One UTC month."""

    year: int
    month: int

    @classmethod
    def of(cls, epoch_seconds: float) -> "Month":
        """Return the month of a moment."""
        moment = datetime.fromtimestamp(epoch_seconds, UTC)
        return cls(moment.year, moment.month)

    @classmethod
    def of_table(cls, table: str) -> "Month":
        """Return the month of a table's name."""
        return cls(int(table[-7:-3]), int(table[-2:]))

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"history_{self.year:04d}_{self.month:02d}"

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def start(self) -> str:
        """Its first moment, as Postgres reads it."""
        return f"{self.year:04d}-{self.month:02d}-01 00:00:00+00"

    @property
    def end(self) -> float:
        """The first moment after it, epoch seconds."""
        return datetime(self.next.year, self.next.month, 1, tzinfo=UTC).timestamp()
