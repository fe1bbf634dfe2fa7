"""Objects of one bucket: read, listed, and written on condition.

Every write carries the SHA-256 of its body, which a locked bucket asks for and S3 checks. Reads and lists see what was
written last (S3 is strongly consistent since 2020).
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from xml.etree import ElementTree as ET

from ebb.aws.client import Answer, Ask, AwsClient
from ebb.aws.endpoint import Endpoint
from ebb.aws.signing import query
from ebb.errors import Conflict, Unavailable

_SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_CODE = re.compile(rb"<Code>(\w+)</Code>")
_HINTS = {
    "AccessDenied": "give the function's role {action} on it, and the use of its key",
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": "the bucket lies in another region",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the credentials are none",
    "SignatureDoesNotMatch": "the credentials are none",
}
_ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "LIST": "s3:ListBucket"}


class Taken(Conflict):
    """An object is not as the condition of a write wants it.

    Attributes:
        repeated: whether the write itself may have been what changed it: an attempt before was given up.
    """

    def __init__(self, message: str, *, repeated: bool) -> None:
        self.repeated = repeated
        super().__init__(message)


@dataclass(frozen=True)
class Stored:
    """One object.

    Attributes:
        body: all of it.
        etag: names this state of it.
    """

    body: bytes = field(repr=False)
    etag: str


class Bucket:
    """One bucket.

    Args:
        client: sends the requests.
        endpoint: of S3.
        name: the bucket's.
        seconds: for each answer, attempts included.
    """

    def __init__(self, client: AwsClient, endpoint: Endpoint, name: str, seconds: float) -> None:
        self._client, self._endpoint, self.name, self.seconds = client, endpoint, name, seconds
        scheme, _, host = endpoint.url.partition("://")
        # A certificate for *.s3... does not cover a name with dots, and an emulator has no host by a bucket's name.
        plain = endpoint.own and "." not in name
        self._url = f"{scheme}://{name}.{host}/" if plain else f"{endpoint.url}/{name}/"

    def get(self, key: str) -> Stored | None:
        """Return an object, or None where there is none.

        Raises:
            Unavailable: S3 does not answer, or refuses.
        """
        answer = self._send("GET", key)
        if _absent(answer):
            return None
        self._require(answer, "GET", key)
        return Stored(answer.body, answer.headers.get("ETag", ""))

    def holds(self, key: str) -> bool:
        """Tell whether there is such an object.

        Raises:
            Unavailable: see `get`.
        """
        answer = self._send("HEAD", key)
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        self._require(answer, "HEAD", key)
        return True

    def put(self, key: str, body: bytes, kind: str, *, instead_of: str | None) -> None:
        """Write an object: whole, or not at all.

        Args:
            key: its name.
            body: all of it.
            kind: its media type.
            instead_of: etag of the state that it replaces; None where there must be none.

        Raises:
            Taken: the object is in another state; nothing was written, unless an attempt before was lost.
            Unavailable: see `get`; it may have been written.
        """
        condition = {"If-None-Match": "*"} if instead_of is None else {"If-Match": instead_of}
        checksum = {"x-amz-checksum-sha256": b64encode(sha256(body).digest()).decode()}
        answer = self._send("PUT", key, {"Content-Type": kind, **checksum, **condition}, body)
        gone = instead_of is not None and _absent(answer)
        if answer.status == HTTPStatus.PRECONDITION_FAILED or gone:
            raise Taken(f"somebody else wrote {self._told(key)} first", repeated=answer.repeated)
        self._require(answer, "PUT", key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in order, from behind `after` on.

        Raises:
            Unavailable: see `get`.
        """
        for page in self._pages(prefix, {"start-after": after} if after else {}):
            yield from (found.text or "" for found in page.findall(f"{_SPACE}Contents/{_SPACE}Key"))

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names that stand between `prefix` and the next slash, in order.

        Raises:
            Unavailable: see `get`.
        """
        for page in self._pages(prefix, {"delimiter": "/"}):
            found = page.findall(f"{_SPACE}CommonPrefixes/{_SPACE}Prefix")
            yield from ((each.text or "")[len(prefix) :].rstrip("/") for each in found)

    def _pages(self, prefix: str, wanted: Mapping[str, str]) -> Iterator[ET.Element]:
        token = ""
        while True:
            more = {"continuation-token": token} if token else {}
            answer = self._send("GET", "?" + query({"list-type": "2", "prefix": prefix, **wanted, **more}))
            self._require(answer, "LIST", prefix)
            try:
                page = ET.fromstring(answer.body)  # noqa: S314 - S3's own words
            except ET.ParseError:
                raise Unavailable(f"S3 lists {self._told(prefix)} in words that are none; ask again later.") from None
            yield page
            token = page.findtext(f"{_SPACE}NextContinuationToken") or ""
            if not token:
                return

    def _send(self, method: str, key: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        return self._client.send(self._endpoint, Ask(method, self._url + key, headers or {}, body), self.seconds)

    def _require(self, answer: Answer, doing: str, key: str) -> None:
        if answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            return
        found = _CODE.search(answer.body[:2_000])
        code = found[1].decode() if found else f"{'AccessDenied' if answer.status == 403 else answer.status}"  # noqa: PLR2004
        hint = _HINTS.get(code, "ask again later").format(action=_ACTIONS[doing])
        raise Unavailable(f"S3 refuses {doing} of {self._told(key)} ({code}): {hint}")

    def _told(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


def _absent(answer: Answer) -> bool:
    return answer.status == HTTPStatus.NOT_FOUND and b"NoSuchBucket" not in answer.body[:2_000]
