"""Objects of S3 brought into folders and back, as SageMaker does it for a processing job."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ebb.errors import DataError

_PAGE = 1_000


def fetch(s3: Any, uri: str, kind: str, folder: Path) -> None:
    """Download an input (API Reference, `ProcessingS3Input`).

    Args:
        s3: a client.
        uri: a prefix, or a manifest: a JSON list of `{"prefix": URI}` and the names of objects behind it.
        kind: `S3Prefix` or `ManifestFile`.
        folder: gets every object under its name behind the prefix; made when absent.

    Raises:
        DataError: there is no object, the manifest is none, or a name leads out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bucket, key = split(uri)
    found = _listed(s3, bucket, key) if kind == "S3Prefix" else _named(s3, bucket, key)
    count = 0
    for count, (home, name, path) in enumerate(found, start=1):  # noqa: B007 - how many there were
        target = (folder / path).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise DataError(f"the object {name!r} of {uri} has no place below a folder: rename it")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            s3.download_file(home, name, str(target))
        except s3.exceptions.ClientError as error:
            raise DataError(f"s3://{home}/{name} cannot be read: {error.response['Error']['Code']}") from None
    if count == 0:
        raise DataError(f"{uri} holds no object: look at the prefix")


def send(s3: Any, folder: Path, uri: str) -> None:
    """Upload every file of a folder below a prefix, under its path there."""
    bucket, prefix = split(uri)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            s3.upload_file(str(path), bucket, f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/"))


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key.

    Raises:
        DataError: it is no address of S3.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise DataError(f"{uri!r} is no address of S3, such as s3://bucket/prefix")
    return bucket, key


def _listed(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield (bucket, key, path) of what a prefix holds: the object of that name, or all below that folder."""
    folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": _PAGE}
    )
    for page in pages:
        for entry in page.get("Contents", []):
            key = str(entry["Key"])
            if key == prefix and not key.endswith("/"):
                yield bucket, key, key.rpartition("/")[2]
            elif key.startswith(folder) and not key.endswith("/"):
                yield bucket, key, key.removeprefix(folder)


def _named(s3: Any, bucket: str, key: str) -> Iterator[tuple[str, str, str]]:
    try:
        told = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        first, *names = told
        home, prefix = split(first["prefix"])
        whole = all(isinstance(name, str) for name in names)
    except s3.exceptions.ClientError as error:
        raise DataError(f"s3://{bucket}/{key} cannot be read: {error.response['Error']['Code']}") from None
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise DataError(f"s3://{bucket}/{key} is no manifest: a JSON list of one prefix and the names behind it")
    for name in names:
        yield home, f"{prefix}{name}", name
