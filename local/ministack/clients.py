"""Clients of the services on this machine."""

from functools import cache
from importlib import import_module
from typing import Any

_REGION = "us-east-1"


@cache
def client_of(service: str, url: str) -> Any:
    """Return a client that reaches one address and no other.

    Args:
        service: as AWS's SDKs call it.
        url: of the service here.

    Raises:
        LookupError: there is no address.
    """
    if not url:
        raise LookupError(f"no address of {service} was given to this MiniStack")
    session = import_module("botocore.session").Session()
    config = import_module("botocore.config").Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=120)
    return session.create_client(
        service,
        region_name=_REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nobody checks it
        config=config,
    )
