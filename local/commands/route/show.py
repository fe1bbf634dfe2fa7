"""`ebb route show`: which releases serve."""

from local.commands.route.table import AsJson, print_routing
from local.terminal import next_step


def show(*, as_json: AsJson = False) -> None:
    """Show which releases serve, with which weights, and what changed lately.

    Example:  ebb route show --json
    """
    from local.caller import show_routing  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(show_routing(), as_json=as_json)
    if not as_json:
        next_step("ebb route set --challenger VERSION=0.05", "ebb route promote VERSION")
