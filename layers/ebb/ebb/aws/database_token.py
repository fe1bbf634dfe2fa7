"""The password of a database that authenticates by IAM: a signed address, good for 15 minutes."""

from collections.abc import Callable

from ebb.aws.credentials import Credentials
from ebb.aws.signing import presigned, query
from ebb.login import Login

SECONDS = 900
"""That a token opens connections; one that is open stays so."""


class IamLogins:
    """Makes a new token for each connection, which takes no question to anybody.

    The source of the form: "IAM database authentication", Amazon RDS user guide; the permission is `rds-db:connect`.

    Args:
        host, port: as the connection is opened; the token is bound to them.
        user: of the database.
        region: of the database.
        credentials: returns the ones of this moment.
    """

    def __init__(self, host: str, port: int, user: str, region: str, credentials: Callable[[], Credentials]) -> None:
        self._user, self._region, self._credentials = user, region, credentials
        self._url = f"https://{host}:{port}/?{query({'Action': 'connect', 'DBUser': user})}"

    def login(self) -> Login:
        """Return the user and a token.

        Raises:
            Misuse: the environment holds no credentials.
        """
        who = self._credentials()
        url = presigned(self._url, service="rds-db", region=self._region, credentials=who, seconds=SECONDS)
        return Login(self._user, url.removeprefix("https://"))

    def refused(self, login: Login) -> None:
        """Do nothing: the next token is another one anyway."""
