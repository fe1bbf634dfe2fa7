"""Waiting for a stage to answer: its gateway, its functions and their network have just been made, perhaps."""

import time
from collections.abc import Callable
from typing import TypeVar

from ebb.errors import Unavailable
from local.calling.sentences import Refused
from local.deploying.deployment import Deployment

_T = TypeVar("_T")
_SERVERS = 500


def when_answering(at: Deployment, ask: Callable[[], _T]) -> _T:
    """Ask, and again as long as nobody answers or the answer is a server's failure.

    Raises:
        Refused, Unavailable: as the last try ended.
    """
    until = time.monotonic() + at.patience.answering
    with at.progress.step(f"Waiting for {at.caller.entrance.told}", 1):
        while True:
            try:
                return ask()
            except (Refused, Unavailable) as error:
                lasting = isinstance(error, Refused) and error.status < _SERVERS
                if lasting or time.monotonic() > until:
                    raise
            time.sleep(at.patience.poll)
