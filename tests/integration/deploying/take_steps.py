"""The steps in a process of their own, which can be killed right behind one of their effects, before it is told.

Run as `python -m tests.integration.deploying.take_steps ASSEMBLY [KILLED_BEHIND [TABLE]]`, in a folder with releases;
prints one JSON object a step. KILLED_BEHIND is an effect of `_EFFECTS`, or empty.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdk.stages import stage_named
from ebb.s3.bucket import Bucket
from local.calling import Caller, caller_of
from local.deploying import provision
from local.deploying.aws import Aws
from local.deploying.deployment import Deployment, Patience, Workshop
from local.deploying.run import NAMES, take
from local.loading.over_https import Way
from training.progress import Silent

_EFFECTS: dict[str, tuple[Any, str]] = {
    "cdk": (provision, "follow"),
    "users": (Aws, "call"),
    "migrate": (Aws, "call"),
    "release": (Bucket, "put"),
    "routing": (Caller, "promote"),
    "features": (Way, "_counted"),
}
_OPERATIONS = {"users": "execute_statement", "migrate": "invoke"}


def deployment(assembly: Path, table: Path | None = None, aws: Aws | None = None) -> Deployment:
    """Return the deployment of dev from small templates."""

    @contextmanager
    def lend(_stage: str) -> Iterator[Path]:
        yield assembly

    stage = stage_named("dev")
    return Deployment(
        stage,
        aws or Aws(stage.region),
        caller_of("dev"),
        Silent(),
        Path(os.environ["EBB_HOME"]),
        features=table,
        chosen=frozenset(NAMES),
        workshop=Workshop(lend, lambda _architecture: []),
        patience=Patience(poll=0.05, database=60.0, stacks=60.0, answering=90.0),
    )


def _killed_behind(effect: str) -> None:
    """Let this process be killed by the first return of what has the effect."""
    owner, name = _EFFECTS[effect]
    before: Callable[..., Any] = getattr(owner, name)

    def last(*given: Any, **named: Any) -> Any:
        answer = before(*given, **named)
        meant = _OPERATIONS.get(effect)
        if meant is None or (meant in given and "do $$" in str(named.get("sql", "do $$"))):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, last)


def main(assembly: str, effect: str = "", table: str = "") -> int:
    """Take every step; 1 where one failed."""
    if effect:
        _killed_behind(effect)
    failed = False
    for taken in take(deployment(Path(assembly), Path(table) if table else None)):
        told = {"step": taken.name, "state": taken.outcome.state, "sentence": taken.outcome.sentence}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        failed = taken.error is not None
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
