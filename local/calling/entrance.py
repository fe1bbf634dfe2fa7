"""Where calls go in, as a protocol: the local cloud and a stage are one to the commands."""

from dataclasses import dataclass
from typing import Protocol

from ebb.client.tokens import Token
from ebb.http.scopes import ADMIN, EXPLAIN, FEATURES, PREDICT, SUBJECTS


@dataclass(frozen=True)
class Purpose:
    """What calls are made for.

    Attributes:
        known_as: the client's name in tokens that the local cloud mints itself.
        program: the client of a stage that may do this (`cdk/stages.py`).
        scopes: that the calls need.
    """

    known_as: str
    program: str
    scopes: tuple[str, ...]


SCORE = Purpose("ebb-score", "scoring", (PREDICT, EXPLAIN))
LOAD = Purpose("ebb-load", "loading", (FEATURES,))
SUBJECT = Purpose("ebb-subject", "privacy", (SUBJECTS,))
ROUTE = Purpose("ebb-route", "operating", (ADMIN,))


class Entrance(Protocol):
    """Where calls go in."""

    @property
    def told(self) -> str:
        """What it is called in sentences, such as `the stage 'dev'`."""

    @property
    def hint(self) -> str:
        """What to do where it does not answer."""

    @property
    def address(self) -> str:
        """Where to send requests, without `/v1`.

        Raises:
            EbbError: it cannot be found; says why, and what to do.
        """

    def token(self, purpose: Purpose) -> Token:
        """Return what gives the tokens of calls for this purpose; it is renewed as long as the calls go on.

        Raises:
            EbbError: none can be had; says why, and what to do.
        """

    def key(self, purpose: Purpose) -> str:
        """Return the API key by which calls for this purpose are counted; empty where none is needed.

        Raises:
            EbbError: it cannot be had; says why, and what to do.
        """
