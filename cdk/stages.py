"""The values of each stage: everything that differs between dev, staging and prod, and nothing else."""

from cdk.stage import BadStage, Stage
from cdk.stage_parts import Access, Cache, Client, Database, Domain, Edge, Network, Schedule, Serving, Watch

CLIENTS = (
    Client("scoring", ("predict", "explain")),
    Client("loading", ("features:write", "outcomes:write")),
    Client("privacy", ("subjects",)),
    Client("operating", ("predict", "admin")),
)
"""Programs that every stage knows: who scores, who writes features, who answers data subjects, who operates."""

STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            name="dev",
            region="us-east-1",
            network=Network("10.20.0.0/16", zones=2),
            database=Database(0.5, 2, reader=False, backup_days=1),
            cache=Cache("cache.t4g.small", replicas=0),
            serving=Serving("arm64", 1_024, 1, 5, 0.7, (), requests=50, burst=100, account_concurrency=1_000),
            access=Access(CLIENTS),
            keep=False,
            log_days=7,
            shift="at once",
        ),
        Stage(
            name="staging",
            region="us-east-1",
            network=Network("10.30.0.0/16", zones=3),
            database=Database(0.5, 8, reader=True, backup_days=7),
            cache=Cache("cache.m7g.large", replicas=1),
            serving=Serving("arm64", 1_024, 10, 100, 0.7, (), requests=1_000, burst=2_000, account_concurrency=1_000),
            access=Access(CLIENTS),
            keep=False,
            log_days=30,
            shift="linear",
            watch=Watch(duration_ms=100, latency_ms=200, degraded=0.1, requests=100, experiments=True),
        ),
        Stage(
            name="prod",
            region="us-east-1",
            network=Network("10.40.0.0/16", zones=3),
            database=Database(2, 64, reader=True, backup_days=35),
            cache=Cache("cache.r7g.2xlarge", replicas=2),
            serving=Serving(
                "arm64",
                1_024,
                1_500,
                2_500,
                0.6,
                (Schedule("Morning", hour=6, least=2_000), Schedule("Night", hour=22, least=1_500)),
                requests=25_000,
                burst=30_000,
                account_concurrency=6_000,
                calls_reported=False,  # at 15,000 a second: $9,900 a month for traces, $1,300 for lines (docs/cost.md)
            ),
            access=Access(CLIENTS),
            keep=True,
            log_days=90,
            shift="linear",
            watch=Watch(duration_ms=50, latency_ms=100, degraded=0.05, requests=1_000),
            domain=Domain("scores.example.com", "Z0EXAMPLE0ZONE0ID", "example.com"),  # put your own in its place
            edge=Edge("us-west-2", "10.41.0.0/16"),
        ),
    )
}
"""Every stage, by name."""


def stage_named(name: str) -> Stage:
    """Return a stage.

    Raises:
        BadStage: there is none of that name.
    """
    if name not in STAGES:
        raise BadStage(f"there is no stage {name!r}: choose one of {', '.join(STAGES)} with `-c stage=...`")
    return STAGES[name]
