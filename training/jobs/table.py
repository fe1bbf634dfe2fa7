"""Which jobs there are, what each is fed and what it may be told: light enough to be read by commands."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from ebb.errors import Misuse

Kind = Literal["training", "processing"]


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        name: what it is called by; its module in this package has `run`.
        kind: whose contract its container keeps.
        channels: inputs it needs, by name, each with what lies in it.
        optional: inputs it can do without, likewise.
        parameters: what it may be told, by name, each with what it means.
        keeps_output: whether what it wrote is worth having when it failed.
    """

    name: str
    kind: Kind
    channels: dict[str, str]
    optional: dict[str, str]
    parameters: dict[str, str]
    keeps_output: bool = False

    def check(self, channels: set[str], parameters: set[str]) -> None:
        """Refuse what the job does not know, and what it lacks.

        Raises:
            Misuse: names the first.
        """
        for name, what in self.channels.items():
            if name not in channels:
                raise Misuse(f"the job {self.name!r} needs the input {name!r} ({what}): give it one")
        _known(self.name, "input", channels, {*self.channels, *self.optional})
        _known(self.name, "parameter", parameters, set(self.parameters))


_CONTRACT = "the contract, a TOML file, with the SQL it names beside it"
_RELEASE = "a folder of releases, or a training job's model.tar.gz"
_TABLE = "one csv or parquet table, or a folder of parquet"
_ALL = (
    Job(
        "features",
        "processing",
        {"contract": _CONTRACT, "events": "the events: csv or parquet, one file or many"},
        {},
        {
            "at": 'snapshots, with commas between, or "latest"',
            "every": 'time between snapshots, such as "30d"',
            "from": "the first snapshot, with `every`",
            "until": "the last snapshot, with `every`",
            "labelled": "true: build the outcome too",
        },
    ),
    Job("validate", "processing", {"contract": _CONTRACT, "data": _TABLE}, {}, {}, keeps_output=True),
    Job(
        "train",
        "training",
        {"contract": _CONTRACT, "train": _TABLE},
        {"champion": f"{_RELEASE}: what the new release is compared with"},
        {
            "seconds": "budget of search and refit; without one only the shipped candidates are compared",
            "dollars": "the same budget in money",
            "price": "dollars an hour of the machine, with `dollars`",
            "trials": "candidates to try at most",
            "workers": "fits at once; all cores if not given",
            "families": "families that may win, with commas between",
            "mlflow": "the registry to record in: an address, or the ARN of a managed server",
        },
    ),
    Job("evaluate", "processing", {"release": _RELEASE, "data": _TABLE}, {}, {}),
    Job(
        "batch",
        "processing",
        {"release": _RELEASE, "data": f"{_TABLE}, at any depth"},
        {},
        {
            "workers": "processes that score side by side",
            "shards": "true: the table is shards of one, even where a single file lies there",
            "refused": "true: rows that the contract refuses are left out and listed in refused.csv",
        },
    ),
)
JOBS = {job.name: job for job in _ALL}
"""Every job by its name."""


def job_named(name: str) -> Job:
    """Return the job of a name.

    Raises:
        Misuse: there is none; says which there are.
    """
    if name not in JOBS:
        raise Misuse(f"there is no job {name!r}: choose one of {', '.join(JOBS)}")
    return JOBS[name]


def _known(job: str, what: str, given: set[str], known: set[str]) -> None:
    for name in sorted(given - known):
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(sorted(known)) or 'none'}"
        raise Misuse(f"the job {job!r} knows no {what} {name!r}: {hint}")
