"""The local cloud that is up here, and tokens of its own issuer."""

from collections.abc import Sequence
from dataclasses import dataclass

from ebb.client.tokens import Token
from ebb.errors import Unavailable
from local.calling.entrance import Purpose
from local.identity import Identity
from local.supervisor.state import State, running_state, state_folder

AUDIENCE = "ebb"
_MINUTES = 5.0


def local_cloud() -> State:
    """Return the state of the running local cloud.

    Raises:
        Unavailable: none is up.
    """
    state = running_state(state_folder())
    if state is None or state.phase != "up":
        raise Unavailable("no local cloud is up here: start one with `ebb up --detach`")
    return state


def mint(client: str, scopes: Sequence[str], minutes: float) -> str:
    """Return a token that the running local cloud takes.

    Raises:
        Unavailable: none is up, so nobody knows the token's issuer.
    """
    state = local_cloud()
    return Identity.load_or_create(state_folder()).mint(client, scopes, minutes, state.issuer, AUDIENCE)


@dataclass(frozen=True)
class LocalCloud:
    """An `Entrance` of the local cloud.

    Attributes:
        address: of its gateway.
    """

    address: str
    told: str = "the local cloud"
    hint: str = "see `ebb status`"

    @staticmethod
    def running() -> "LocalCloud":
        """Return the entrance of the one that is up.

        Raises:
            Unavailable: none is.
        """
        return LocalCloud(local_cloud().url)

    def token(self, purpose: Purpose) -> Token:
        """Mint tokens as long as they are needed."""
        return lambda: mint(purpose.known_as, purpose.scopes, _MINUTES)

    def key(self, purpose: Purpose) -> str:  # noqa: ARG002 - as the protocol has it
        """Return none: nothing is counted by keys here."""
        return ""
