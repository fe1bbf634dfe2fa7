"""`ebb route rollback`: the champion before, at once."""

from local.commands.route.table import AsJson, print_routing
from local.terminal import next_step


def rollback(*, as_json: AsJson = False) -> None:
    """Let champion and previous champion change places: in force with every environment's next request.

    Example:  ebb route rollback
    """
    from local.caller import roll_back  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(roll_back(), as_json=as_json)
    if not as_json:
        next_step("ebb score ENTITY_ID", "ebb route show")
