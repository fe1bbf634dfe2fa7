"""What the executor must know of one function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ebb.errors import Misuse


@dataclass(frozen=True)
class Function:
    """One Lambda function and how it is run here.

    Attributes:
        name: the function's name.
        handler: module path and function, such as "lambdas.predict.handler.handle".
        environment: the function's own environment variables.
        task_root: the folder its code is imported from; also its working directory.
        timeout_seconds: an invocation that takes longer is killed with its environment.
        memory_mb: what the function is told; not enforced here.
        environments: processes kept, each serving one invocation at a time.
        queue_limit: invocations that may wait for an environment; one more is throttled.
        init_seconds: an environment that has not asked for its first invocation by then is killed.
        freeze: whether an environment stands still between its invocations, as it does on AWS; its background
            threads then run only while an invocation does.
        sampled: share of the invocations whose trace header says that they are traced.
        native_client: whether the environment talks to its Runtime API through AWS's native module, and not through
            the stand-in, which takes less.
    """

    name: str
    handler: str
    environment: Mapping[str, str] = field(default_factory=dict)
    task_root: Path = Path()
    timeout_seconds: float = 10.0
    memory_mb: int = 1024
    environments: int = 2
    queue_limit: int = 512
    init_seconds: float = 60.0
    freeze: bool = False
    sampled: float = 0.0
    native_client: bool = False

    def __post_init__(self) -> None:
        """Refuse values that could only fail later.

        Raises:
            Misuse: names the function and the value.
        """
        if "." not in self.handler:
            raise Misuse(f'function {self.name}: handler "{self.handler}" must be a module and a function, as in "a.b"')
        if self.environments < 1 or self.queue_limit < 0:
            raise Misuse(f"function {self.name}: it needs at least one environment and a queue limit of 0 or more")
        if self.timeout_seconds <= 0 or self.init_seconds <= 0:
            raise Misuse(f"function {self.name}: its timeouts must be more than 0 seconds")
