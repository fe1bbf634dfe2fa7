"""Where a service of AWS listens, and in which region it is signed for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ebb.errors import Misuse

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_URL = re.compile(r"https?://[^/\s]+")


@dataclass(frozen=True)
class Endpoint:
    """Where one service listens.

    Attributes:
        service: its name in signatures, such as `s3`.
        region: such as `us-east-1`.
        url: scheme and host.
        own: whether AWS runs it; an emulator has no hosts by a bucket's name.
    """

    service: str
    region: str
    url: str
    own: bool


def region_of(environment: Mapping[str, str]) -> str:
    """Return the region that the environment names.

    Raises:
        Misuse: it names none.
    """
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    if not _REGION.fullmatch(region):
        raise Misuse("the environment variable AWS_REGION must name a region, such as us-east-1")
    return region


def endpoint_of(service: str, environment: Mapping[str, str], region: str = "") -> Endpoint:
    """Return where a service listens: as `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL` say, else at AWS.

    Args:
        service: `s3`, `secretsmanager`, `lambda` or `codedeploy`.
        environment: of the function.
        region: empty for the function's own.

    Raises:
        Misuse: a variable names no address, or no region.
    """
    region = region or region_of(environment)
    for name in (_VARIABLES[service], "AWS_ENDPOINT_URL"):
        if url := environment.get(name, "").rstrip("/"):
            if not _URL.fullmatch(url):
                raise Misuse(f"the environment variable {name} must be an address, such as http://127.0.0.1:4566")
            return Endpoint(service, region, url, own=False)
    return Endpoint(service, region, f"https://{service}.{region}.amazonaws.com", own=True)


_VARIABLES = {
    "s3": "AWS_ENDPOINT_URL_S3",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "lambda": "AWS_ENDPOINT_URL_LAMBDA",
    "codedeploy": "AWS_ENDPOINT_URL_CODEDEPLOY",
}
"""As the AWS SDKs name them."""
