"""What a prediction costs with more features and more releases, and what memory five releases take."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from tests.home import Home
from tests.load.figures import Figure
from tests.load.peers.case import CONTRACT, Case
from tests.load.peers.copies import write_copies, write_table
from tests.load.peers.ebb_path import environment_of, whole_path
from tests.load.peers.handler_alone import measured
from tests.load.peers.handler_process import Order, Spent
from tests.load.peers.wide import write_wide

FEATURES, RELEASES = (10, 50, 200, 1_000), (1, 5, 20)
MEMORY_RELEASES, MEMORY_MB = 5, 130.0
_LINEAR = 1.0
_CALLS, _ROUNDS = 400, 5


def feature_figures(folder: Path) -> Iterator[Figure]:
    """Measure the handler of contracts with more and more features, each with a local cloud of its own."""
    found = {}
    for features in FEATURES:
        home = Home(folder / f"wide-{features}")
        home.folder.mkdir(parents=True)
        entities = write_wide(home.folder, features)
        with whole_path(home, 1):
            found[features] = median(measured(environment_of(home), Order(entities, _CALLS, _ROUNDS)).handler)
        how = "handler alone, all numbers, a linear graph"
        yield Figure(f"CPU a prediction, {features:,} features", "us", found[features], None, how)
    yield _growth("features", found)


def release_figures(case: Case, environment: Mapping[str, str], folder: Path) -> Iterator[Figure]:
    """Measure the handler with more and more copies of the champion in its routing table, and its memory with five.

    Args:
        case: whose champion is copied.
        environment: of the function, with its servers up and the case's entities stored.
        folder: empty; takes releases and tables.
    """
    found = {}
    for count in RELEASES:
        spent = with_releases(case, environment, folder / str(count), count)
        found[count] = median(spent.handler)
        what = "release" if count == 1 else "releases"
        how = "handler alone; copies of the champion, 90 % of the entities to challengers"
        yield Figure(f"CPU a prediction, {count} {what}", "us", found[count], None, how)
        if count == MEMORY_RELEASES:
            yield memory_figure(spent)
    yield _growth("releases", found)


def memory_figure(spent: Spent) -> Figure:
    """Return the memory of the environment that was measured with five releases."""
    how = "RSS after the runs above; runtime client and this measuring's own parts included"
    name = f"memory of one environment, {MEMORY_RELEASES} releases"
    return Figure(name, "MB", spent.resident_mb, MEMORY_MB, how, tolerated=1.0)


def with_releases(case: Case, environment: Mapping[str, str], folder: Path, count: int) -> Spent:
    """Measure the handler with so many copies of the champion in its routing table."""
    version = case.model.parent
    releases = write_copies(version.parent.parent, CONTRACT, version.name, count, folder / "releases")
    write_table(folder / "routing", CONTRACT, releases)
    variables = {"EBB_RELEASES": str(folder / "releases"), "EBB_ROUTING": str(folder / "routing")}
    return measured({**environment, **variables}, Order(case.entity_ids, _CALLS, _ROUNDS))


def _growth(what: str, found: Mapping[int, float]) -> Figure:
    """Return the exponent of the last step: 1 is linear, 0 is free."""
    (less, cheap), (more, dear) = sorted(found.items())[-2:]
    exponent = math.log(dear / cheap) / math.log(more / less)
    how = f"exponent from {less:,} to {more:,}: 1 is linear, 0 is free"
    return Figure(f"growth of CPU with {what}", "", exponent, _LINEAR, how, tolerated=1.0)
