"""`ebb route promote`: another champion."""

from local.commands.route.table import AsJson, Version, print_routing
from local.terminal import next_step


def promote(release: Version, *, as_json: AsJson = False) -> None:
    """Make a release the champion; the one before stays loaded for a rollback.

    It leaves its other roles. Challengers, the cheap release and the shadow stay as they are.

    Example:  ebb route promote 0123456789ab
    """
    from local.caller import promote_release  # noqa: PLC0415 - keeps `ebb --help` quick

    print_routing(promote_release(release), as_json=as_json)
    if not as_json:
        next_step("ebb score ENTITY_ID", "ebb route rollback")
