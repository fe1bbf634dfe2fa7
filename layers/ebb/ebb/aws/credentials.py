"""Who asks: the credentials that Lambda puts into a function's environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ebb.errors import Misuse

KEY, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


@dataclass(frozen=True)
class Credentials:
    """One set of credentials, by the names that botocore's signers read.

    Attributes:
        access_key: the key's id.
        secret_key: what is signed with.
        token: of a session; None for a user's lasting key.
    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @staticmethod
    def in_environment(environment: Mapping[str, str]) -> "Credentials":
        """Return the ones of this moment; asked for at each signing, so that new ones count at once.

        Raises:
            Misuse: there are none.
        """
        for name in (KEY, SECRET):
            if not environment.get(name):
                raise Misuse(f"the environment variable {name} is not set: without it no request to AWS can be signed")
        return Credentials(environment[KEY], environment[SECRET], environment.get(TOKEN) or None)
