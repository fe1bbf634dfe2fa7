"""The image of training's jobs: what it is built from, and the tag that follows from it before anything is built.

Nothing but the standard library is imported: the stacks read it at synth, and a machine without Docker synthesizes the
same tag as one with it.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cdk.archives import ArchiveError

DOCKERFILE = "training/jobs/Dockerfile"
PARTS = ("layers/ebb/ebb", "requirements/jobs.txt", "training")
"""Files and folders of the checkout that the Dockerfile copies; its `.dockerignore` lets nothing else through."""


def image_sources(root: Path) -> Mapping[str, Path]:
    """Return the image's sources by their paths in the checkout, in order.

    Raises:
        ArchiveError: one of `PARTS` is not there.
    """
    found = {path.relative_to(root).as_posix(): path for part in PARTS for path in _files(root, part)}
    return dict(sorted(found.items()))


def image_tag(root: Path) -> str:
    """Return the image's tag: a SHA-256 over its sources by path and bytes, the same on every machine.

    Raises:
        ArchiveError: see `image_sources`.
    """
    digest = hashlib.sha256(b"ebb job image\n")
    for name, path in image_sources(root).items():
        content = path.read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


def copy_sources(root: Path, folder: Path) -> None:
    """Copy the image's sources into a folder, each to its path in the checkout.

    Raises:
        ArchiveError: see `image_sources`.
    """
    for name, path in image_sources(root).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _files(root: Path, part: str) -> Iterator[Path]:
    place = root / part
    if not place.exists():
        raise ArchiveError(f"the job image cannot be named: {root} has no {part}, which it is built from")
    for path in [place] if place.is_file() else place.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and "__pycache__" not in parts and path.suffix != ".pyc":
            yield path
