"""One line of a bill."""

from dataclasses import dataclass
from typing import Literal

Shared = Literal["requests", "dollars"]
"""What a line is split by among variants or clients: how often each was asked for, or what its computing took."""


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        part: the stack that it comes from, as the tag `ebb:part` says; empty for a cost without a resource.
        component: what it is summed up under.
        what: is paid for.
        quantity, unit: of it, a month.
        usd: dollars a month.
        shared: what it is split by.
    """

    part: str
    component: str
    what: str
    quantity: float
    unit: str
    usd: float
    shared: Shared = "requests"
