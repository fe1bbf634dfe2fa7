"""Where a database lies."""

import ssl
from dataclasses import dataclass, field

from ebb.login import Login, Logins


@dataclass(frozen=True)
class PostgresAddress:
    """One database, where its server listens, and as whom it is entered.

    Attributes:
        host, port: where.
        user, password: where neither changes.
        database: its name.
        tls: verifies the server's certificate and name; None for connections that are not encrypted.
        logins: gives each new connection its user and password, in the place of the fixed ones; None for those.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    logins: Logins | None = field(default=None, repr=False)

    def login(self) -> Login:
        """Return as whom a connection is opened now.

        Raises:
            Unavailable: nobody knows yet.
        """
        return Login(self.user, self.password) if self.logins is None else self.logins.login()

    def refused(self, login: Login) -> None:
        """Report that the server refused it."""
        if self.logins is not None:
            self.logins.refused(login)
