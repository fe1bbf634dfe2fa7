"""A new version that is to be as warm as the one that serves."""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.shift.function import FAILED, READY, Capacity, ShiftedFunction

LOOK_SECONDS = 3.0
"""Between two looks at a capacity that comes."""


@dataclass(frozen=True)
class Warming:
    """Raises a version's capacity to that of the version which serves, and waits for it.

    A version begins with what the template says, while target tracking may have raised the old one's since.

    Args:
        function: whose versions they are.
        alias: names the version that serves.
        target: the new version.
        clock: monotonic seconds.
        sleep: waits so many seconds.
    """

    function: ShiftedFunction
    alias: str
    target: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def hold(self, seconds: float) -> str:
        """Raise the capacity and wait until it is there; return a sentence that says how much there is.

        Args:
            seconds: to wait.

        Raises:
            Misuse: a version is missing, or more is asked for than can be had.
            Unavailable: the capacity failed, or did not come in time.
        """
        serving = self.function.alias_version(self.alias)
        have = self.function.capacity(self.target)
        old = self.function.capacity(serving) if serving != self.target else None
        wanted = max(old.current if old else 0, have.asked if have else 0)
        if not wanted:
            return f"neither version {serving} nor version {self.target} keeps environments warm"
        if have is None or have.asked < wanted:
            self.function.ask_capacity(self.target, wanted)
        self._wait(wanted, self.clock() + seconds, seconds)
        return f"version {self.target} has {wanted:,} warm environments, and version {serving} serves"

    def _wait(self, wanted: int, deadline: float, seconds: float) -> None:
        while True:
            now = self.function.capacity(self.target)
            if now is not None and now.status == FAILED:
                raise Unavailable(
                    f"version {self.target} cannot get its {wanted:,} warm environments "
                    f"({now.because or 'Lambda does not say why'}): {_what_to_do(now)}"
                )
            if now is not None and now.status == READY and now.available >= wanted:
                return
            if self.clock() + LOOK_SECONDS > deadline:
                have = now.available if now else 0
                raise Unavailable(
                    f"version {self.target} has {have:,} of {wanted:,} warm environments after {seconds:.0f} s: "
                    "look into its log for environments that do not start, and at the account's concurrency"
                )
            self.sleep(LOOK_SECONDS)


def _what_to_do(capacity: Capacity) -> str:
    if capacity.allocated:
        return f"it stopped at {capacity.allocated:,}; look at the account's and the function's reserved concurrency"
    return "look into its log for environments that do not start"
