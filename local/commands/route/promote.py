"""`ebb route promote`: another champion."""

from local.commands.route.table import AsJson, Version, print_routing
from local.commands.stage_option import Stage, at
from local.terminal import next_step


def promote(release: Version, *, stage: Stage = None, as_json: AsJson = False) -> None:
    """Make a release the champion; the one before stays loaded for a rollback.

    It leaves its other roles. Challengers, the cheap release and the shadow stay as they are. On a stage that has no
    routing table yet this writes the first one.

    Examples:  ebb route promote 0123456789ab
               ebb route promote 0123456789ab --stage dev
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(caller_of(stage).promote(release), as_json=as_json)
    if not as_json:
        next_step(f"ebb score ENTITY_ID{at(stage)}", f"ebb route rollback{at(stage)}")
