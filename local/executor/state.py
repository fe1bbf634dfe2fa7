"""What can be told about functions and their environments."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where an environment is in its life."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAD = "dead"


@dataclass(frozen=True)
class EnvironmentStatus:
    """One environment.

    Attributes:
        pid: its process, None while there is none.
        state: where it is in its life.
        invocations: answered or failed by it, over all its processes.
        starts: processes started for it so far.
        last_error: one sentence on its last failure, None when it never failed.
        pauses: how often it was frozen between invocations, over all its processes.
        frozen: whether it is frozen now.
    """

    pid: int | None
    state: State
    invocations: int
    starts: int
    last_error: str | None
    pauses: int = 0
    frozen: bool = False


@dataclass(frozen=True)
class FunctionStatus:
    """One function.

    Attributes:
        handler: its handler.
        environments: each of its environments.
        queued: invocations that wait for an environment.
        throttled: invocations refused so far.
        error: the sentence that every invocation fails with while no environment starts, else None.
    """

    handler: str
    environments: tuple[EnvironmentStatus, ...]
    queued: int
    throttled: int
    error: str | None
