"""What a hook is told from outside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ebb.errors import Misuse

_VERSION = re.compile(r"[1-9]\d*")


@dataclass(frozen=True)
class ShiftSettings:
    """Which function is shifted, and to which version.

    Attributes:
        function: its name.
        alias: that is shifted.
        target: the version that is to take over.
    """

    function: str
    alias: str
    target: str

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "ShiftSettings":
        """Parse `EBB_SHIFT_FUNCTION`, `EBB_SHIFT_ALIAS` and `EBB_SHIFT_TARGET`.

        Raises:
            Misuse: one is missing, or the target is no version.
        """

        def text(name: str) -> str:
            if not environment.get(name):
                raise Misuse(f"the environment variable {name} is not set")
            return environment[name]

        target = text("EBB_SHIFT_TARGET")
        if not _VERSION.fullmatch(target):
            raise Misuse("the environment variable EBB_SHIFT_TARGET must be the number of a version")
        return ShiftSettings(text("EBB_SHIFT_FUNCTION"), text("EBB_SHIFT_ALIAS"), target)
