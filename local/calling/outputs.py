"""What a deployed stage says of itself: outputs of its stack, and the secret of one of its clients.

Both are read with the operator's own AWS credentials, held in memory, and neither printed nor written anywhere.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from ebb.errors import EbbError, Unavailable

T = TypeVar("T")
_SECONDS = 10.0
_INSTEAD = "or say where it is and how to enter by EBB_STAGE_URL and EBB_STAGE_TOKEN"


class NotDeployed(EbbError):
    """A stage stands nowhere in this account and region, or lacks what a newer one has."""


def outputs_of(stage: str, region: str, part: str = "inference") -> dict[str, str]:
    """Return the outputs of one stack of a stage, by name.

    Args:
        stage: its name.
        region: where it stands.
        part: of the stage; the stack is `ebb-STAGE-PART`.

    Raises:
        NotDeployed: there is no such stack.
        Unavailable: there are no credentials, or AWS does not answer or refuses.
    """
    stack = f"ebb-{stage}-{part}"
    try:
        told = _asked(
            f"the outputs of {stack} in {region}",
            lambda: _client("cloudformation", region).describe_stacks(StackName=stack)["Stacks"][0],
        )
    except _Absent:
        raise NotDeployed(
            f"the stage {stage!r} is not deployed: this AWS account has no stack {stack} in {region}, the region that "
            f"cdk/stages.py names. Deploy it with `ebb deploy --stage {stage}`, or use the credentials of its account"
        ) from None
    return {output["OutputKey"]: output["OutputValue"] for output in told.get("Outputs", ())}


def client_secret(pool: str, client_id: str, region: str) -> str:
    """Return the secret of a user pool's client.

    Raises:
        NotDeployed: there is no such client, or it has no secret.
        Unavailable: see `outputs_of`.
    """
    try:
        told = _asked(
            f"the secret of client {client_id} (cognito-idp:DescribeUserPoolClient) in {region}",
            lambda: _client("cognito-idp", region).describe_user_pool_client(UserPoolId=pool, ClientId=client_id),
        )
    except _Absent:
        raise NotDeployed(f"the user pool {pool} has no client {client_id} any more: deploy the stage again") from None
    secret: str = told["UserPoolClient"].get("ClientSecret", "")
    if not secret:
        raise NotDeployed(f"the client {client_id} of the user pool {pool} has no secret: deploy the stage again")
    return secret


def api_key(key_id: str, region: str) -> str:
    """Return an API key.

    Raises:
        NotDeployed: there is no such key.
        Unavailable: see `outputs_of`.
    """
    try:
        told = _asked(
            f"the API key {key_id} (apigateway:GetApiKey) in {region}",
            lambda: _client("apigateway", region).get_api_key(apiKey=key_id, includeValue=True),
        )
    except _Absent:
        raise NotDeployed(f"there is no API key {key_id} any more: deploy the stage again") from None
    return str(told["value"])


class _Absent(Exception):
    """AWS says that there is no such thing."""


def _client(service: str, region: str) -> Any:
    import boto3  # noqa: PLC0415 - takes a third of a second
    from botocore.config import Config  # noqa: PLC0415 - as above

    config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    return boto3.session.Session().client(service, region_name=region, config=config)


def _asked(what: str, ask: Callable[[], T]) -> T:
    """Ask AWS.

    Raises:
        _Absent: there is no such thing.
        Unavailable: there are no credentials, or AWS does not answer or refuses.
    """
    from botocore import exceptions  # noqa: PLC0415 - as above

    try:
        return ask()
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        code = told.get("Code", "")
        if code in {"ResourceNotFoundException", "NotFoundException"} or "does not exist" in told.get("Message", ""):
            raise _Absent from None
        raise Unavailable(
            f"AWS refuses {what} ({code}): use credentials that may read it, and have not expired, {_INSTEAD}"
        ) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound) as error:
        raise Unavailable(
            f"there are no AWS credentials to read {what} with ({type(error).__name__}): "
            f"sign in (`aws sso login`, AWS_PROFILE), {_INSTEAD}"
        ) from None
    except exceptions.BotoCoreError as error:
        raise Unavailable(f"AWS cannot be asked for {what} ({type(error).__name__}): check the network") from None
