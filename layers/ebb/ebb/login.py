"""As whom a server is entered, where that may change while the function runs."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Login:
    """One user's.

    Attributes:
        username: None where the server knows a password alone.
        password: a password, or a token that stands for one.
    """

    username: str | None
    password: str = field(repr=False)


class Logins(Protocol):
    """Where the login of a new connection comes from."""

    def login(self) -> Login:
        """Return the newest one; waits for nobody.

        Raises:
            Unavailable: none is known yet.
        """

    def refused(self, login: Login) -> None:
        """Report that the server refused one: a newer one is looked for, and nobody waits for it."""
