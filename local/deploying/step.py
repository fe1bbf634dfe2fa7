"""One step of a deployment, and how it ended."""

from dataclasses import dataclass
from typing import Literal, Protocol

from local.deploying.deployment import Deployment

State = Literal["done", "already", "skipped", "failed", "would"]


@dataclass(frozen=True)
class Outcome:
    """How a step ended, or would end.

    Attributes:
        state: what became of it; `would` where nothing was done yet.
        sentence: what people should know.
    """

    state: State
    sentence: str


class Step(Protocol):
    """One step; knows by itself whether it is done already."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    def look(self, at: Deployment) -> Outcome:
        """Tell what `take` would do; nothing is changed.

        Raises:
            EbbError: it could not be done.
        """

    def take(self, at: Deployment) -> Outcome:
        """Do it, unless it is done already.

        Raises:
            EbbError: it cannot be done; what was done so far stays, and the same call goes on.
        """
