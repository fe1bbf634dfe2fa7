"""A release as one object: a ZIP archive of its files, the same bytes for the same files.

One object is there whole or not at all, also where a bucket is copied to another region object by object; and a start
reads it by one request.
"""

import re
import zlib
from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from ebb.errors import ReleaseError

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_BEGINNING = (1980, 1, 1, 0, 0, 0)
_MOST_FILES, _MOST_BYTES = 100, 1 << 30


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files by name.

    Raises:
        ReleaseError: a name is none of a file.
    """
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            if not _NAME.fullmatch(name):
                raise ReleaseError(f"{name[:64]!r} is no name of a file in a release")
            about = ZipInfo(name, _BEGINNING)
            about.compress_type, about.external_attr = ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, content)
    return whole.getvalue()


def unpack(content: bytes, told: str) -> dict[str, bytes]:
    """Return the files of an archive; their own sums are checked, the release's are the reader's to verify.

    Args:
        content: the archive.
        told: what it is called in sentences.

    Raises:
        ReleaseError: it is no archive, damaged, or holds more than a release can.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            listed = archive.infolist()
            if len(listed) > _MOST_FILES or sum(each.file_size for each in listed) > _MOST_BYTES:
                raise ReleaseError(f"{told} holds more than a release can: publish it again")
            if not all(_NAME.fullmatch(each.filename) for each in listed):
                raise ReleaseError(f"{told} holds a file whose name is none of a release: publish it again")
            return {each.filename: archive.read(each) for each in listed}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise ReleaseError(f"{told} is damaged: publish it again") from None
