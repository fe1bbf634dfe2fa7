"""A process that scores a folder and stops for ever after the first shard, or has little room on its disk."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ebb.errors import DataError
from tests.fakes.batch import made_model, release_of
from training.batch import score_prefix
from training.progress import Silent


class Stuck:
    """Goes no further once rows of a second shard are done."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002 - the port's names
        """Open a step that ends never."""
        calls: list[int] = []

        def told(done: int) -> None:
            calls.append(done)
            while len(calls) > 1:
                time.sleep(60)

        yield told


def main() -> int:
    """Score as the arguments say: source, target, and `stuck` or the bytes that a file may have."""
    source, out, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    release = release_of(made_model())
    if how == "stuck":
        score_prefix(release, source, out, progress=Stuck())
        return 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(how), int(how)))
    try:
        score_prefix(release, source, out, progress=Silent())
    except DataError as error:
        sys.stdout.write(str(error))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
