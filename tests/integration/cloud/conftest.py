"""One door to moto's servers for all tests of this folder; each makes its own bucket."""

import hmac
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest

from tests.fakes.aws_door import KEYS, Door, aws_door


@pytest.fixture(scope="session")
def opened_door() -> Iterator[Door]:
    with aws_door() as door:
        yield door


@pytest.fixture
def door(opened_door: Door) -> Door:
    opened_door.begin()
    return opened_door


@pytest.fixture
def signature() -> Callable[[dict[str, str], str], str]:
    """Return an own computation of signature version 4: from what was sent, and the request's first three lines."""

    def made(sent: dict[str, str], beginning: str) -> str:
        names = sent["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        headers = "".join(f"{name}:{sent[name].strip()}\n" for name in names.split(";"))
        whole = f"{beginning}{headers}\n{names}\n{sent['x-amz-content-sha256']}"
        day, scope = sent["x-amz-date"][:8], f"{sent['x-amz-date'][:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{sent['x-amz-date']}\n{scope}\n{sha256(whole.encode()).hexdigest()}"
        key = f"AWS4{KEYS['AWS_SECRET_ACCESS_KEY']}".encode()
        for part in (day, "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()

    return made
