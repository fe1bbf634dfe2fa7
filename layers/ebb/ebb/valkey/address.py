"""Where a server of the fast tier listens."""

import ssl
from dataclasses import dataclass, field

from ebb.login import Logins


@dataclass(frozen=True)
class ValkeyAddress:
    """Where a server listens, and how it is spoken to.

    Attributes:
        host, port: where; a name is looked up by the system, without a limit of ours.
        username, password: when the server asks for them.
        tls: the context of an encrypted connection, made once since it takes longer than a read; None for none.
        logins: gives each new connection its user and password, in the place of the fixed ones; None for those.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    logins: Logins | None = field(default=None, repr=False)
