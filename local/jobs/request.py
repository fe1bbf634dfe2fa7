"""What one job is to be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ebb.errors import Misuse
from training.jobs.table import Job

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
GRACE_SECONDS = 120.0
"""Between SIGTERM and SIGKILL, as SageMaker leaves a training."""


@dataclass(frozen=True)
class JobRequest:
    """One job to run here.

    Attributes:
        name: of this run, as SageMaker allows them; unique among the runs that are kept.
        job: what is run.
        inputs: files and folders of each input, by its name.
        parameters: by name.
        target: the folder that gets `<name>/output/...` at the end.
        checkpoints: the folder that outlives the run; None for one of the run's own.
        grace_seconds: between SIGTERM and SIGKILL.
        max_seconds: the longest it may take; None is no limit.
        environment: variables that the job gets on top.
    """

    name: str
    job: Job
    inputs: Mapping[str, Sequence[Path]]
    target: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    checkpoints: Path | None = None
    grace_seconds: float = GRACE_SECONDS
    max_seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what can be seen to be wrong before anything starts.

        Raises:
            Misuse: names the option and what to do.
        """
        if not _NAME.fullmatch(self.name):
            raise Misuse(f"{self.name!r} cannot name a job: letters, digits and single hyphens, at most 63")
        self.job.check(set(self.inputs), set(self.parameters))
        for name, paths in self.inputs.items():
            for path in paths:
                if not path.exists():
                    raise Misuse(f"the input {name!r}: there is no {path}")


def unique_name(job: str, prefix: str = "ebb") -> str:
    """Return a name that no other run has: the job and the moment in milliseconds, UTC."""
    now = datetime.now(UTC)
    return f"{prefix}-{job}-{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03d}"
