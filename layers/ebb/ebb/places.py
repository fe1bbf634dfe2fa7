"""Where releases and routing tables lie: a folder, or a prefix of an S3 bucket."""

import re
from dataclasses import dataclass
from pathlib import Path

from ebb.errors import Misuse

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)/?")


@dataclass(frozen=True)
class S3Place:
    """A prefix of a bucket.

    Attributes:
        bucket: its name.
        prefix: without slashes around it; empty for the whole bucket.
    """

    bucket: str
    prefix: str

    def key(self, *names: str) -> str:
        """Return the key of what has these names below the prefix; one that ends in a slash is a prefix again."""
        return "/".join((self.prefix, *names) if self.prefix else names)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse_place(text: str, variable: str) -> Path | S3Place:
    """Return what `s3://BUCKET/PREFIX` or a path names.

    Args:
        text: as it was given.
        variable: that gave it, for the sentence.

    Raises:
        Misuse: it is neither.
    """
    if "://" not in text:
        return Path(text)
    found = _S3.fullmatch(text)
    if not found:
        raise Misuse(f"the environment variable {variable} must be s3://BUCKET/PREFIX, or the path of a folder")
    return S3Place(found[1], found[2].strip("/"))
