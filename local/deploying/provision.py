"""Step `cdk`: CloudFormation makes the stacks what the templates say."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ebb.errors import EbbError
from local.deploying.assembly import Change, Template, change_of, read_assembly
from local.deploying.command_line import follow, running_command
from local.deploying.deployment import Deployment
from local.deploying.stacks import StackState, first_failure
from local.deploying.step import Outcome
from local.synthesized import CDK
from local.terminal import counted

_LOG = "cdk.log"
_SKEW = timedelta(minutes=1)
"""By which the clocks here and there may differ."""


class NotProvisioned(EbbError):
    """A stack is not what its template says."""


class Provision:
    """The step."""

    name = "cdk"

    def look(self, at: Deployment) -> Outcome:
        """Compare what is synthesized with what is deployed."""
        with at.workshop.templates(at.stage.name) as folder:
            templates = read_assembly(folder)
        if at.offline:
            told = f"would make or change {counted(len(templates), 'stack')}, {_resources(templates)} in all"
            return Outcome("would", told)
        changes = _changes(at, templates)
        if not changes:
            return _standing(templates)
        return Outcome("would", "would deploy " + "; ".join(change.sentence for change in changes))

    def take(self, at: Deployment) -> Outcome:
        """Deploy what differs; what CloudFormation is doing already is waited for."""
        with at.workshop.templates(at.stage.name) as folder:
            templates = read_assembly(folder)
            _settle(at, templates)
            changes = _changes(at, templates)
            if not changes:
                return _standing(templates)
            _deploy(at, folder, templates)
        return Outcome("done", "; ".join(change.sentence for change in changes))


def _deploy(at: Deployment, assembly: Path, templates: Sequence[Template]) -> None:
    """Let CDK deploy exactly the templates that were compared."""
    log, began = at.folder / _LOG, datetime.now(UTC)
    arguments = ["deploy", "--all", "--app", str(assembly), "--require-approval", "never"]
    quiet = ["--progress", "events", "--no-color", "--no-notices", "--ci"]
    environment = {**os.environ, "AWS_REGION": at.stage.region, "AWS_DEFAULT_REGION": at.stage.region}
    with running_command([*arguments, *quiet], log, environment, at.folder) as child:
        code = follow(child, at.progress)
    if code:
        raise NotProvisioned(f"{_why(at, templates, child.output(), began - _SKEW)}. All that CDK said is in {log}")


def _why(at: Deployment, templates: Sequence[Template], said: str, since: datetime) -> str:
    """Return which stack and which of its resources failed first, or else the last thing that CDK said."""
    for stack in _stacks(at, templates):
        failed = first_failure(at.aws, stack, since) if stack is not None else ""
        if stack is not None and failed:
            return f"the stack {stack.name} failed ({stack.status}), first its {failed}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"CDK could not deploy: {lines[-1].rstrip('.') if lines else 'it said nothing of why'}"


def _settle(at: Deployment, templates: Sequence[Template]) -> None:
    """Wait until CloudFormation is at work on none of the stacks; refuse what it cannot go on with."""
    until = time.monotonic() + at.patience.stacks
    with at.progress.step("Waiting for CloudFormation", 1):
        while busy := [stack for stack in _stacks(at, templates) if stack is not None and stack.busy]:
            if time.monotonic() > until:
                raise NotProvisioned(
                    f"CloudFormation is still at work on {busy[0].name} ({busy[0].status}): look at its events in the "
                    "console, and run the same command again when it has ended"
                )
            time.sleep(at.patience.poll)
    for stack in _stacks(at, templates):
        if stack is not None and stack.stuck:
            raise NotProvisioned(_stuck(at, stack))


def _stuck(at: Deployment, stack: StackState) -> str:
    failed = first_failure(at.aws, stack) or stack.reason or "its events say why"
    ways = {
        "UPDATE_ROLLBACK_FAILED": f"mend that, then `{CDK} rollback {stack.name} -c stage={at.stage.name}`",
        "ROLLBACK_FAILED": "mend that, then delete the stack: nothing of it was ever in use",
        "DELETE_FAILED": "mend that, then delete the stack again",
    }
    way = ways.get(stack.status, "mend that, then roll the stack back in the console")
    return f"the stack {stack.name} is stuck in {stack.status}: {failed.rstrip('.')}. {way.capitalize()}"


def _changes(at: Deployment, templates: Sequence[Template]) -> list[Change]:
    stacks = _stacks(at, templates)
    found = [change_of(at.aws, template, stack) for template, stack in zip(templates, stacks, strict=True)]
    return [change for change in found if change is not None]


def _stacks(at: Deployment, templates: Sequence[Template]) -> list[StackState | None]:
    return [StackState.read(at.aws, template.name, template.region) for template in templates]


def _standing(templates: Sequence[Template]) -> Outcome:
    return Outcome("already", f"{counted(len(templates), 'stack')} as the templates say, {_resources(templates)}")


def _resources(templates: Sequence[Template]) -> str:
    return counted(sum(template.resources for template in templates), "resource")
