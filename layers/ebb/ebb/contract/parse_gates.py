"""The `[gates]` table of a contract."""

from ebb.contract.model import SMALLEST_GROUP, Gates
from ebb.contract.table import Table


def parse_gates(table: Table) -> Gates:
    """Parse what a release must reach.

    Raises:
        ContractError: a key is unknown, missing or impossible; names the line.
    """
    smallest = table.number("smallest_group", SMALLEST_GROUP, low=2, high=1_000_000)
    if smallest != int(smallest):
        raise table.fail("`smallest_group` must be a whole number of rows", "smallest_group")
    gates = Gates(
        min_auc=table.number("min_auc", low=0.5, high=1),
        max_calibration_error=table.number("max_calibration_error", low=0, high=1),
        max_fairness_gap=table.number("max_fairness_gap", None, low=0, high=1),
        min_profit_over_nothing=table.number("min_profit_over_nothing", None),
        min_profit_over_champion=table.number("min_profit_over_champion", None),
        max_latency_ms=table.number("max_latency_ms", None, low=0.001),
        max_parity=table.number("max_parity", 1e-6, low=0, high=1),
        max_opportunity_gap=table.number("max_opportunity_gap", None, low=0, high=1),
        max_group_calibration_error=table.number("max_group_calibration_error", None, low=0, high=1),
        min_profit_over_everyone=table.number("min_profit_over_everyone", None),
        smallest_group=int(smallest),
    )
    table.finish()
    return gates
