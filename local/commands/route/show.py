"""`ebb route show`: which releases serve."""

from local.commands.route.table import AsJson, print_routing
from local.commands.stage_option import Stage, at
from local.terminal import next_step


def show(*, stage: Stage = None, as_json: AsJson = False) -> None:
    """Show which releases serve, with which weights, and what changed lately.

    Examples:  ebb route show --json
               ebb route show --stage dev
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(caller_of(stage).show_routing(), as_json=as_json)
    if not as_json:
        next_step(f"ebb route set --challenger VERSION=0.05{at(stage)}", f"ebb route promote VERSION{at(stage)}")
