"""What a stage says of batch scoring in the cloud."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CloudScoring:
    """The values of one stage; what a run scores comes with its input.

    Attributes:
        image: of the job container.
        role: that the jobs run as.
        instance: type of their machines.
        volume_gb: their disks: the shards of a batch and what is scored of them.
        shards_a_job: the most shards of one batch.
        jobs_at_once: the most batches that run side by side; an account has a quota of machines.
        tolerated_percent: shards that may fail before the whole run does, 0 to 100.
    """

    image: str
    role: str
    instance: str = "ml.m5.large"
    volume_gb: int = 50
    shards_a_job: int = 20
    jobs_at_once: int = 10
    tolerated_percent: int = 0
