"""A hook of a shift: whatever comes of its work, CodeDeploy is told, and does not wait an hour for nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ebb.errors import EbbError
from ebb.http.doors import place_of

TELL_SECONDS = 30.0
"""Kept at the end of a hook's time, to tell how it ended."""


class Deployments(Protocol):
    """Who waits for the hook."""

    def tell(self, deployment: str, hook: str, *, passed: bool) -> None:
        """Tell how a hook of a deployment ended.

        Raises:
            Misuse: this hook of this deployment may not be told of, or does not exist.
            Unavailable: nobody could be told.
        """


class HookLog(Protocol):
    """Where the hook says what came of it."""

    def error(self, what: str, correlation_id: str = "") -> None:
        """Write that something went wrong."""

    def info(self, what: str, correlation_id: str = "") -> None:
        """Write what went well."""


@dataclass(frozen=True)
class Hook:
    """Runs a hook's work.

    Args:
        name: in sentences.
        deployments: who is told.
        log: see `HookLog`.
    """

    name: str
    deployments: Deployments
    log: HookLog

    def run(self, event: Mapping[str, Any], work: Callable[[], str]) -> dict[str, Any]:
        """Do the work, and tell how it ended; nothing is raised.

        Args:
            event: of CodeDeploy, with `DeploymentId` and `LifecycleEventHookExecutionId`. Somebody else may invoke
                the function too, to see what it would say: then nobody is told.
            work: returns a sentence that says what was seen; raises where the shift must not go on.

        Returns:
            `passed`, `because`, and whether CodeDeploy was `told`.
        """
        passed, because = _outcome(work)
        (self.log.info if passed else self.log.error)(f"{self.name}: {because}")
        return {"passed": passed, "because": because, "told": self._tell(event, passed=passed)}

    def _tell(self, event: Mapping[str, Any], *, passed: bool) -> bool:
        deployment, hook = event.get("DeploymentId"), event.get("LifecycleEventHookExecutionId")
        if not deployment or not hook:
            return False

        def tell() -> str:
            self.deployments.tell(str(deployment), str(hook), passed=passed)
            return ""

        told, why = _outcome(tell)
        if not told:
            what = f"{self.name}: CodeDeploy was not told how it ended, and waits for an hour: {why}"
            self.log.error(what)
        return told


def _outcome(work: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, work()
    except EbbError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - what nobody foresaw must end the shift too
        return False, f"unexpected {type(error).__name__} in {place_of(error)}"
