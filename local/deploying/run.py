"""All steps, in their order: what each would do, and doing them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ebb.errors import EbbError, Misuse
from local.deploying.check import Check
from local.deploying.deployment import Deployment
from local.deploying.features import Features
from local.deploying.migrate import Migrate
from local.deploying.provision import Provision
from local.deploying.publish import Publish
from local.deploying.route import Route
from local.deploying.step import Outcome, Step
from local.deploying.users import Users
from local.deploying.verify import Verify

STEPS: tuple[Step, ...] = (Check(), Provision(), Users(), Migrate(), Publish(), Route(), Features(), Verify())
"""In the order in which each finds what it needs."""

NAMES = tuple(step.name for step in STEPS)


@dataclass(frozen=True)
class Taken:
    """One step that was looked at or taken.

    Attributes:
        name: of the step.
        outcome: how it ended.
        seconds: that it took.
        error: why it failed; None where it did not.
    """

    name: str
    outcome: Outcome
    seconds: float
    error: EbbError | None = None


def chosen(only: list[str] | None) -> frozenset[str]:
    """Return the steps that are meant; all where none is named.

    Raises:
        Misuse: there is no such step.
    """
    unknown = sorted(set(only or ()) - set(NAMES))
    if unknown:
        raise Misuse(f"there is no step {', '.join(unknown)}: the steps are {', '.join(NAMES)}")
    return frozenset(only or NAMES)


def look(at: Deployment) -> Iterator[Taken]:
    """Yield what each chosen step would do, also behind one that could not be done."""
    return (_timed(step, lambda step: step.look(at)) for step in _chosen(at))


def take(at: Deployment) -> Iterator[Taken]:
    """Take each chosen step, and yield how it ended; one that failed is the last."""
    for step in _chosen(at):
        taken = _timed(step, lambda step: step.take(at))
        yield taken
        if taken.error is not None:
            return


def _chosen(at: Deployment) -> list[Step]:
    """Return the steps that are meant, and `check` before any: what they need is looked at first."""
    return [step for step in STEPS if step.name in at.chosen or step.name == Check.name]


def _timed(step: Step, do: Callable[[Step], Outcome]) -> Taken:
    began = time.monotonic()
    try:
        return Taken(step.name, do(step), time.monotonic() - began)
    except EbbError as error:
        return Taken(step.name, Outcome("failed", str(error)), time.monotonic() - began, error)
