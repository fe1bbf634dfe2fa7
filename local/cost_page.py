"""A bill as tables and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cdk.pricing.bill import Bill, Point, fits
from cdk.stage import REQUESTS_AN_ENVIRONMENT
from local.terminal import console, print_facts, print_table

_BAR = 20


@dataclass(frozen=True)
class Cost:
    """What `ebb cost` tells.

    Attributes:
        stage: its name.
        bill: of the load that was asked for.
        curve: the same load at other utilisations.
        batch_rows: dollars for 1,000 rows in batches.
        shares: dollars a month of each variant or client; empty where none was named.
    """

    stage: str
    bill: Bill
    curve: Sequence[Point]
    batch_rows: float
    shares: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, for scripts."""
        bill, case = self.bill, self.bill.case
        return {
            "stage": self.stage,
            "region": case.prices.region,
            "prices_of": case.prices.date,
            "rps": case.load.rps,
            "utilisation": case.load.utilisation,
            "predictions_a_month": round(case.load.predictions),
            "environments": {"needed": case.needed, "held": round(case.held, 1), "most": case.most},
            "memory_mb": case.memory_mb,
            "usd_a_month": round(bill.usd, 2),
            "usd_per_1000": round(bill.usd_per_1000, 9),
            "usd_per_1000_batch_rows": round(self.batch_rows, 9),
            "components": {
                name: {"usd_a_month": round(usd, 2), "usd_per_1000": round(bill.per_1000(usd), 9)}
                for name, usd in bill.components().items()
            },
            "parts": {name: round(usd, 2) for name, usd in bill.parts().items()},
            "curve": [{**asdict(point), "usd": round(point.usd, 2)} for point in self.curve],
            "shares": {name: round(usd, 2) for name, usd in self.shares.items()},
            "lines": [{**asdict(line), "usd": round(line.usd, 4)} for line in bill.lines],
            "assumed": sorted(name for name, figure in case.measured.by_name.items() if figure.how == "assumed"),
        }

    def show(self) -> None:
        """Print it as tables."""
        bill, case = self.bill, self.bill.case
        rows = [_row(bill, name, usd) for name, usd in bill.components().items()]
        print_table(
            f"{self.stage}, {case.load.rps:,.0f} predictions a second",
            ("component", "$ a month", "$ per 1,000", "share"),
            [*rows, _row(bill, "all in", bill.usd)],
        )
        print_facts("Per 1,000", self._facts())
        print_table(
            "The same load with more or less capacity held for it",
            ("used", "environments", "$ a month", "$ per 1,000", "", "the stage may"),
            [_point(point, self.curve) for point in self.curve],
        )
        if self.shares:
            print_table(
                "Split by requests, and computing by its dollars",
                ("who", "$ a month", "share"),
                [(name, f"{usd:,.2f}", f"{usd / bill.usd:.1%}") for name, usd in self.shares.items()],
            )
        if not fits(case):
            console.print(
                f"[yellow]The stage may hold {case.most:,} environments, {REQUESTS_AN_ENVIRONMENT} requests a second "
                f"each: this load needs {case.needed:,}.[/yellow]"
            )

    def _facts(self) -> dict[str, str]:
        case = self.bill.case
        return {
            "single predictions, all in": f"${self.bill.usd_per_1000:.6f}",
            "rows in batches of 1,000": f"${self.batch_rows:.6f}, as many as single ones, beside them",
            "environments held": f"{case.held:,.0f} of {case.memory_mb:,} MB, for {case.needed:,} that are needed",
            "prices": f"list, {case.prices.region}, {case.prices.date}",
        }


def _row(bill: Bill, name: str, usd: float) -> tuple[str, str, str, str]:
    return name, f"{usd:,.2f}", f"{bill.per_1000(usd):.6f}", f"{usd / bill.usd:.1%}"


def _point(point: Point, curve: Sequence[Point]) -> tuple[str, str, str, str, str, str]:
    bar = "█" * round(_BAR * point.usd_per_1000 / max(other.usd_per_1000 for other in curve))
    usd, fitting = f"{point.usd:,.0f}", "yes" if point.fits else "no"
    return f"{point.utilisation:.0%}", f"{point.environments:,.0f}", usd, f"{point.usd_per_1000:.6f}", bar, fitting
