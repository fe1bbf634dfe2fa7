"""The task of the region that writes: what changes is recorded for another region, where one follows."""

from dataclasses import dataclass
from typing import Any

from ebb.ports import RecordedChanges

KEPT_SECONDS = 7 * 86_400.0
"""A region that was away for longer is told everything anew."""

PRUNINGS = 10
"""Times that old changes are forgotten by one invocation, some thousand each."""


@dataclass(frozen=True)
class Recording:
    """Sees to the feed.

    Args:
        changes: the feed.
        followed: whether a region follows.
    """

    changes: RecordedChanges
    followed: bool

    def run(self) -> dict[str, Any]:
        """Switch the recording, show a sign of life, and forget what is old.

        Raises:
            Unavailable: the durable tier does not answer.
        """
        switched = self.changes.record(followed=self.followed)
        forgotten = 0
        if self.followed:
            self.changes.beat()
            for _ in range(PRUNINGS):
                some = self.changes.prune(KEPT_SECONDS)
                forgotten += some
                if not some:
                    break
        return {"recorded": self.followed, "switched": switched, "forgotten": forgotten}
