"""Entry of the preflight, which CodeDeploy invokes before it lets any traffic to a new version."""

import os
from typing import Any

from ebb.trace import watched
from lambdas.preflight.bootstrap import bootstrap, make_hook

HOOK = make_hook(os.environ)


@watched()
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take CodeDeploy's event; what is wrong with the environment is told like everything else."""
    return HOOK.run(event, lambda: bootstrap(os.environ).run(lambda: context.get_remaining_time_in_millis() / 1000))
