"""Calls of a running Ebb over HTTPS: of the local cloud, or of a stage. `caller_of(stage)` is all that commands need.

    caller = caller_of("dev")            # None: the local cloud
    caller.show_routing()
    caller.promote("0123456789ab")       # also the first table of a stage
    caller.score("c-000123", explain=True)

`local.loading.over_https.load_over_https(table, caller, progress)` loads a table through the same caller.
"""

from local.calling.caller import Caller
from local.calling.local_cloud import LocalCloud
from local.calling.stage import StageEntrance

__all__ = ["Caller", "caller_of"]


def caller_of(stage: str | None) -> Caller:
    """Return who calls a stage, or the local cloud where none is named.

    Nothing is asked of a stage, nor of AWS, before the first call.

    Raises:
        Misuse: there is no stage of that name, or the environment's `EBB_STAGE_...` contradict each other.
        Unavailable: no local cloud is up.
    """
    return Caller(LocalCloud.running() if stage is None else StageEntrance.named(stage))
