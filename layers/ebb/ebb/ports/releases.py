"""Where releases lie and what scores, as protocols."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs


class Scorer(Protocol):
    """A graph that is ready to score."""

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the probability of the positive class, float32 [N]."""


class ReleaseStore(Protocol):
    """Where releases lie: a folder here, a bucket in the cloud."""

    def contracts(self) -> list[str]:
        """Return the contracts that have releases, sorted."""

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None where there is none yet."""

    def versions(self, contract: str) -> list[str]:
        """Return all complete versions, sorted."""

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        """Return the release's files by name, not yet verified.

        Raises:
            NoRelease: there is no such release.
        """

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        """Store a release at once: readers see all of it or nothing. The same version again is a no-op.

        Raises:
            ReleaseError: it cannot be written; nothing of it is seen.
        """

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on, atomically; the champion so far becomes the previous one.

        Raises:
            NoRelease: there is no such release.
            ReleaseError: it cannot be named; champion and previous champion stand.
        """

    def previous(self, contract: str) -> str | None:
        """Return the version that was champion before the present one, or None where there was none."""

    def challenger(self, contract: str) -> str | None:
        """Return the version that waits to be promoted, or None; who is or was champion waits no more."""

    def set_challenger(self, contract: str, version: str) -> None:
        """Name the version that waits to be promoted, atomically.

        Raises:
            NoRelease: there is no such release.
        """

    def cheap(self, contract: str) -> str | None:
        """Return the version of the cheap release that belongs to the champion, or None where there is none."""

    def set_cheap(self, contract: str, version: str, beside: str | None = None) -> None:
        """Name the cheap release of one champion, atomically: it has that role whenever this one is champion.

        Args:
            contract: its name.
            version: of the cheap release.
            beside: the champion, or who may become it; None takes the present one.

        Raises:
            NoRelease: there is no such release, or no champion.
        """
