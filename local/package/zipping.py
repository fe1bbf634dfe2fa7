"""A folder as a zip whose bytes depend on names and contents only: no time, no owner, no umask, no order of a disk."""

import stat
import zipfile
from pathlib import Path

_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that the format knows."""

_UNIX = 3
_MODE = (stat.S_IFREG | 0o644) << 16
"""Readable for all, as Lambda's own user needs it; a library is loaded without a right to execute."""

_LEVEL = 9


def zip_folder(folder: Path, target: Path) -> int:
    """Write all files below a folder into a zip, in the order of their names.

    Args:
        folder: to be packed.
        target: the zip to write.

    Returns:
        The sum of the files' sizes, bytes.

    Raises:
        OSError: it cannot be written.
    """
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    unzipped = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            unzipped += len(content)
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _LEVEL)
    return unzipped
