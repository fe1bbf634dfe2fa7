"""Calls of AWS with the operator's own credentials, in the region of a stage."""

from functools import cache
from typing import TYPE_CHECKING, Any

from local.deploying.words import sentence_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS, _ATTEMPTS = 60.0, 5


class Aws:
    """AWS as one operator sees it.

    Args:
        region: of the stage.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._client = cache(_client)

    def call(self, service: str, operation: str, *, region: str = "", patience: float = 0.0, **given: Any) -> Any:
        """Return the answer of one operation.

        Args:
            service: as boto3 names it.
            operation: as boto3 names it.
            region: another one than the stage's.
            patience: seconds that the answer may take, and then it is asked for once only; 0 for the usual.
            **given: the operation's parameters.

        Raises:
            AwsRefused: there are no credentials, or AWS does not answer or refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 takes a third of a second

        where = region or self.region
        action = f"{service}:{''.join(word.capitalize() for word in operation.split('_'))}"
        try:
            method: Callable[..., Any] = getattr(self._client(service, where, patience), operation)
            return method(**given)
        except (BotoCoreError, ClientError) as error:
            raise sentence_of(error, action, where) from None


def _client(service: str, region: str, patience: float) -> Any:
    import boto3  # noqa: PLC0415 - as above
    from botocore.config import Config  # noqa: PLC0415 - as above

    config = Config(
        connect_timeout=10,
        read_timeout=patience or _SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1 if patience else _ATTEMPTS},
    )
    return boto3.session.Session().client(service, region_name=region, config=config)
