"""Signatures (AWS Signature Version 4), made by botocore."""

import logging
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from ebb.aws.credentials import Credentials

# It would write session tokens into a log that somebody sets to DEBUG.
logging.getLogger("botocore.auth").setLevel(logging.INFO)


def query(parameters: Mapping[str, str]) -> str:
    """Return parameters as they stand in an address and are signed."""
    return urlencode(sorted(parameters.items()), quote_via=quote, safe="-_.~")


def signed_headers(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    credentials: Credentials,
) -> dict[str, str]:
    """Return the headers of a request with its signature; it counts for five minutes.

    Args:
        method: in capitals.
        url: whole, its parameters as `query` writes them.
        headers: what else is to be sent, and signed.
        body: of the request.
        service: as signatures name it.
        region: of the service.
        credentials: who asks.
    """
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


def presigned(url: str, *, service: str, region: str, credentials: Credentials, seconds: int) -> str:
    """Return an address that carries the signature of a GET, and counts for so long."""
    request = AWSRequest(method="GET", url=url)
    SigV4QueryAuth(credentials, service, region, expires=seconds).add_auth(request)
    return str(request.url)
