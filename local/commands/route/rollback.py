"""`ebb route rollback`: the champion before, at once."""

from local.commands.route.table import AsJson, print_routing
from local.commands.stage_option import Stage, at
from local.terminal import next_step


def rollback(*, stage: Stage = None, as_json: AsJson = False) -> None:
    """Let champion and previous champion change places: in force with every environment's next request.

    Examples:  ebb route rollback
               ebb route rollback --stage prod
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(caller_of(stage).roll_back(), as_json=as_json)
    if not as_json:
        next_step(f"ebb score ENTITY_ID{at(stage)}", f"ebb route show{at(stage)}")
