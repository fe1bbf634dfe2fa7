"""OAuth2 client credentials: how a program gets its token (RFC 6749, 4.4)."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from ebb.client.errors import TokenUnavailable

USUAL_SECONDS = 300.0
"""Life of a token whose endpoint does not say it."""


@dataclass(frozen=True)
class ClientCredentials:
    """An OAuth2 client.

    Attributes:
        url: the token endpoint.
        client_id: the client's id.
        client_secret: its secret; never shown.
        scopes: to ask for.
        margin: seconds before its end at which a token is renewed; at most half of its life.
        timeout: seconds that the token endpoint may take.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    margin: float = 60.0
    timeout: float = 5.0


@dataclass(frozen=True)
class Fetched:
    """A token and how long it is valid.

    Attributes:
        value: the token.
        seconds: its life from when it was asked for.
    """

    value: str = field(repr=False)
    seconds: float


async def granted(credentials: ClientCredentials, http: httpx.AsyncClient) -> Fetched:
    """Ask the token endpoint.

    Raises:
        TokenUnavailable: it does not answer, or refuses.
    """
    form = {"grant_type": "client_credentials"} | (
        {"scope": " ".join(credentials.scopes)} if credentials.scopes else {}
    )
    try:
        response = await http.post(
            credentials.url,
            data=form,
            auth=httpx.BasicAuth(credentials.client_id, credentials.client_secret),
            timeout=credentials.timeout,
        )
    except httpx.RequestError as error:
        raise TokenUnavailable(f"the token endpoint cannot be reached ({type(error).__name__})") from error
    return _fetched(response)


def _fetched(response: httpx.Response) -> Fetched:
    """Read the token endpoint's answer (RFC 6749, 5.1 and 5.2); of a refusal only its code is told."""
    try:
        document: Any = response.json()
    except ValueError:
        document = None
    held = document if isinstance(document, dict) else {}
    if not response.is_success:
        code = held.get("error")
        told = f" ({code})" if isinstance(code, str) and code.isidentifier() else ""
        raise TokenUnavailable(f"the token endpoint answered {response.status_code}{told}", status=response.status_code)
    token, seconds = held.get("access_token"), held.get("expires_in", USUAL_SECONDS)
    if not isinstance(token, str) or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TokenUnavailable("the token endpoint answered, but with no token")
    return Fetched(token, float(seconds))
