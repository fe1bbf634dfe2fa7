"""The postflight: a live check through the alias."""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.shift.function import ShiftedFunction
from ebb.shift.hook import TELL_SECONDS
from ebb.shift.trial import Trial

MOVED_SECONDS = 60.0
"""For the alias to name the new version."""

LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Postflight:
    """Looks at what the alias answers.

    Args:
        function: whose alias it is.
        alias: that was shifted.
        target: the version that it must name now.
        clock: monotonic seconds.
        sleep: waits so many seconds.
    """

    function: ShiftedFunction
    alias: str
    target: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, left: Callable[[], float]) -> str:
        """Check the alias and try what it names; return what was seen.

        Args:
            left: returns the seconds that are left of the invocation.

        Raises:
            EbbError: the shift must be taken back.
        """
        deadline = self.clock() + MOVED_SECONDS
        while (named := self.function.alias_version(self.alias)) != self.target:
            if self.clock() + LOOK_SECONDS > deadline:
                raise Unavailable(
                    f"the alias {self.alias} names version {named} {MOVED_SECONDS:.0f} s after its shift to version "
                    f"{self.target}: see in CodeDeploy how it ended"
                )
            self.sleep(LOOK_SECONDS)
        tried = Trial(self.function, self.alias, lambda: left() - TELL_SECONDS).hold()
        return f"the alias {self.alias} names version {self.target}; {tried}"
