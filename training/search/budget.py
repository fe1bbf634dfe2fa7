"""How much a search may use."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import monotonic

from ebb.errors import Misuse
from training.fit.boosted import BOOSTED, LIGHTGBM
from training.fit.families import FAMILIES
from training.fit.logistic import LOGISTIC


@dataclass(frozen=True)
class Budget:
    """What ends a search; with neither seconds nor trials only the shipped candidates are tried.

    Attributes:
        seconds: from `started` to the end of search *and* refit; None is no limit. The first candidate always
            finishes.
        trials: how many candidates are begun at most; None is no limit.
        started: when the clock began, in `clock`'s seconds.
        workers: fits at once; None takes all cores.
        families: that may be tried.
        clock: seconds, monotonic.
    """

    seconds: float | None = None
    trials: int | None = None
    started: float | None = None
    workers: int | None = None
    families: tuple[str, ...] = (BOOSTED, LOGISTIC)
    clock: Callable[[], float] = monotonic

    @property
    def open_ended(self) -> bool:
        """Whether more than the shipped candidates may be tried."""
        return self.seconds is not None or self.trials is not None


def read_families(text: str) -> tuple[str, ...]:
    """Read names of families, by commas.

    Raises:
        Misuse: one is unknown, or needs a library that is not installed.
    """
    families = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in families:
        if name not in FAMILIES:
            raise Misuse(f"there is no family {name!r}: choose from {', '.join(FAMILIES)}")
    if not families:
        raise Misuse(f"no family was named: choose from {', '.join(FAMILIES)}")
    if LIGHTGBM in families and find_spec("lightgbm") is None:
        raise Misuse("the family lightgbm needs the package lightgbm, which is not installed: pip install lightgbm")
    return families
