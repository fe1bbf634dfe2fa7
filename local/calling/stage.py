"""A stage on AWS: found by the outputs of its stack, entered with its own clients, or as the environment says.

EBB_STAGE_URL                              its address, without /v1
EBB_STAGE_TOKEN                            a token that is used as it is
EBB_STAGE_TOKEN_URL, EBB_STAGE_CLIENT_ID,  an OAuth2 client of an issuer of your own; EBB_STAGE_SCOPE_PREFIX is what
EBB_STAGE_CLIENT_SECRET                    stands before its scopes, if anything (Cognito: "ebb/")
EBB_STAGE_API_KEY                          counts the calls, where a REST API with usage plans stands before it
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ebb.client import ClientCredentials
from ebb.client.address import checked_address
from ebb.client.tokens import Token
from ebb.errors import Misuse
from local.calling.entrance import Purpose
from local.calling.outputs import NotDeployed, api_key, client_secret, outputs_of

URL, TOKEN, PREFIX = "EBB_STAGE_URL", "EBB_STAGE_TOKEN", "EBB_STAGE_SCOPE_PREFIX"
API_KEY = "EBB_STAGE_API_KEY"
CLIENT = ("EBB_STAGE_TOKEN_URL", "EBB_STAGE_CLIENT_ID", "EBB_STAGE_CLIENT_SECRET")

COGNITO_PREFIX = "ebb/"
"""The resource server's name, which Cognito writes before a scope."""

_TOKEN_SECONDS = 15.0


@dataclass(frozen=True)
class StageEntrance:
    """An `Entrance` of a stage.

    Attributes:
        name: dev, staging or prod.
        region: where it stands.
        given: the environment.
    """

    name: str
    region: str
    given: Mapping[str, str] = field(repr=False)

    @staticmethod
    def named(name: str, given: Mapping[str, str] | None = None) -> "StageEntrance":
        """Return a stage's entrance; AWS is asked for nothing before it is used.

        Args:
            name: of the stage.
            given: the environment; this process's where nothing is said.

        Raises:
            Misuse: there is no such stage, or the environment says how to get tokens by halves or twice.
        """
        from cdk.stage import BadStage  # noqa: PLC0415 - keeps `ebb --help` quick
        from cdk.stages import STAGES, stage_named  # noqa: PLC0415 - as above

        try:
            region = stage_named(name).region
        except BadStage:
            raise Misuse(f"there is no stage {name!r}: choose one of {', '.join(STAGES)} (cdk/stages.py)") from None
        given = os.environ if given is None else given
        said = [each for each in CLIENT if given.get(each)]
        if said and len(said) < len(CLIENT):
            lacking = ", ".join(each for each in CLIENT if each not in said)
            raise Misuse(f"{', '.join(said)} alone gets no token: set {lacking} too, or none of them")
        if said and given.get(TOKEN):
            raise Misuse(f"{TOKEN} and {CLIENT[1]} are two ways to a token: set one of them")
        return StageEntrance(name, region, given)

    @property
    def told(self) -> str:
        """What it is called in sentences."""
        return f"the stage {self.name!r}"

    @property
    def hint(self) -> str:
        """What to do where it does not answer."""
        said = " (from EBB_STAGE_URL)" if self.given.get(URL) else ""
        return f"check the address{said} and the network, then the stage's alarms"

    @cached_property
    def address(self) -> str:
        """Where to send requests.

        Raises:
            Misuse: EBB_STAGE_URL is no address.
            NotDeployed, Unavailable: see `outputs_of`.
        """
        return checked_address(self.given.get(URL) or self._output("Address"))

    def token(self, purpose: Purpose) -> Token:
        """Return what gives tokens: the one that was given, the client that was given, or the stage's own.

        Raises:
            NotDeployed, Unavailable: see `outputs_of` and `client_secret`.
        """
        return self.given.get(TOKEN) or self.credentials(purpose)

    def credentials(self, purpose: Purpose) -> ClientCredentials:
        """Return the client that asks for tokens.

        Raises:
            NotDeployed, Unavailable: see `token`.
        """
        if self.given.get(CLIENT[1]):
            prefix, (url, client, secret) = self.given.get(PREFIX, ""), (self.given[each] for each in CLIENT)
        else:
            prefix, url = COGNITO_PREFIX, self._output("TokenUrl")
            client = self._output(f"Client{purpose.program.capitalize()}")
            secret = client_secret(self._output("UserPoolId"), client, self.region)
        scopes = tuple(prefix + scope for scope in purpose.scopes)
        return ClientCredentials(url, client, secret, scopes, timeout=_TOKEN_SECONDS)

    def key(self, purpose: Purpose) -> str:
        """Return the API key that was given, or the stage's own where it has usage plans.

        Raises:
            NotDeployed, Unavailable: see `outputs_of` and `api_key`.
        """
        if self.given.get(API_KEY) or self.given.get(URL):
            return self.given.get(API_KEY, "")
        key_id = self._outputs.get(f"{purpose.program.capitalize()}KeyId")
        return api_key(key_id, self.region) if key_id else ""

    @cached_property
    def _outputs(self) -> dict[str, str]:
        return outputs_of(self.name, self.region)

    def _output(self, name: str) -> str:
        try:
            return self._outputs[name]
        except KeyError:
            raise NotDeployed(
                f"the stack of the stage {self.name!r} in {self.region} has no output {name}: deploy the newest code "
                f"there; where tokens come from an issuer of your own, set {TOKEN}, or {', '.join(CLIENT)}"
            ) from None
