"""What the local cloud itself does every so often, beside its functions: work on files of this machine."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ebb.errors import EbbError
from local.supervisor.blocking import call
from local.supervisor.servers import Servers

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """One kind of work.

    Attributes:
        name: for the log.
        work: is given the servers; runs in a thread of its own and may block.
        every_seconds: from the end of one run to the begin of the next.
    """

    name: str
    work: Callable[[Servers], None]
    every_seconds: float


async def keep_doing(chore: Chore, servers: Servers) -> None:
    """Do a chore again and again until cancelled; what fails is logged once, until it works again."""
    failed = ""
    while True:
        await asyncio.sleep(chore.every_seconds)
        try:
            await call(partial(chore.work, servers))
        except EbbError as error:
            if str(error) != failed:
                _log.warning("%s: %s", chore.name, error)
            failed = str(error)
        except Exception as error:  # noqa: BLE001 - its text may be personal, and no chore may end the serving
            if type(error).__name__ != failed:
                _log.warning("%s: unexpected %s", chore.name, type(error).__name__)
            failed = type(error).__name__
        else:
            failed = ""
