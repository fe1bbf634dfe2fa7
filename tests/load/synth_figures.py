"""Seconds until the templates of all stages stand, in a fresh clone."""

import time
from collections.abc import Iterator
from pathlib import Path

from cdk.stages import STAGES
from tests.load.figures import Figure
from tests.stacks.clean_run import copy_of_the_checkout, surroundings, synth

SECONDS = 20.0


def synth_figures(folder: Path) -> Iterator[Figure]:
    """Measure a process for each stage, as `cdk synth` starts them: nothing is cached before the first.

    Args:
        folder: empty.
    """
    root, environment = copy_of_the_checkout(folder / "clone"), surroundings(folder / "machine")
    started = time.perf_counter()
    for stage in STAGES:
        done = synth(stage, folder / stage, root, environment)
        if done.returncode:
            raise AssertionError(done.stderr)
    took = time.perf_counter() - started
    yield Figure("synth of all stages", "s", took, SECONDS, "a fresh clone, a process a stage, no archives, no cache")
