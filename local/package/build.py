"""The build: every archive that is not fresh is packed in a folder of its own, and all appear in `dist/` at the end."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdk.archives import (
    ArchiveError,
    Entry,
    dist,
    made_of,
    names,
    packed,
    read_manifest,
    sha256_of,
    source_hash,
)
from ebb.errors import Conflict, Misuse
from local.package.bytecode import compile_folder, find_python
from local.package.manifest import publish
from local.package.slimming import slim
from local.package.wheels import install_wheels
from local.package.zipping import zip_folder
from local.servers.lock import FolderLock
from training.progress import Progress

_STEPS = 4


@dataclass(frozen=True)
class Built:
    """What lies in `dist/` now.

    Attributes:
        folder: where.
        architecture: of the native libraries.
        entries: the manifest, by archive.
        kept: archives that had been packed from the same sources before.
    """

    folder: Path
    architecture: str
    entries: Mapping[str, Entry]
    kept: tuple[str, ...]


def build(root: Path, architecture: str, progress: Progress, *, again: bool = False) -> Built:
    """Pack what is missing, stale or damaged; what is fresh is kept.

    Args:
        root: the checkout.
        architecture: see `cdk.archives.ARCHITECTURES`.
        progress: is told of each archive.
        again: pack also what is fresh.

    Raises:
        Misuse: there is no such architecture, or another build is at work.
        Unavailable: wheels, uv or Lambda's Python cannot be had; says which.
        DataError: a wheel is for another processor.
        Conflict: a source was changed while it was packed.
    """
    try:
        folder = dist(root, architecture)
    except ArchiveError as error:
        raise Misuse(str(error)) from None
    folder.mkdir(parents=True, exist_ok=True)
    with _workplace(folder) as workplace:
        before = {} if again else read_manifest(root, architecture)
        kept = {name: before[name] for name in names(root) if name in before and _is_fresh(root, name, architecture)}
        stale = [name for name in names(root) if name not in kept]
        if stale or before.keys() != kept.keys():
            python = find_python()
            packing = _Packing(root, architecture, workplace, python, progress)
            entries = kept | {name: packing.pack(name) for name in stale}
            zips = {name: packing.zip_of(name) for name in stale}
            publish(root, architecture, zips, {name: entries[name] for name in names(root)})
        return Built(folder, architecture, read_manifest(root, architecture), tuple(kept))


def _is_fresh(root: Path, name: str, architecture: str) -> bool:
    try:
        return packed(root, name, architecture) is not None
    except ArchiveError:
        return False


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Lend a folder on the same disk; what a killed build left there goes with the next."""
    lock = FolderLock.take(folder, "packing")
    try:
        for left in folder.glob(".packing-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".packing-", dir=folder) as workplace:
            yield Path(workplace)
    finally:
        lock.release()


@dataclass(frozen=True)
class _Packing:
    root: Path
    architecture: str
    workplace: Path
    python: Path
    progress: Progress

    def zip_of(self, name: str) -> Path:
        """Return where it is packed to."""
        return self.workplace / f"{name}.zip"

    def pack(self, name: str) -> Entry:
        """Pack one archive into the workplace."""
        sources = source_hash(self.root, name, self.architecture)
        made, tree = made_of(self.root, name, self.architecture), self.workplace / name
        wheels = tree / made.prefix
        wheels.mkdir(parents=True)
        with self.progress.step(f"Packing {name}", _STEPS) as advance:
            if made.lock is not None:
                install_wheels(made.lock, wheels, self.architecture, self.root / ".tools")
                slim(wheels)
            advance(1)
            for path, file in made.files.items():
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, tree / path)
            advance(1)
            compile_folder(tree, self.python)
            advance(1)
            unzipped = zip_folder(tree, self.zip_of(name))
            advance(1)
        shutil.rmtree(tree)
        if source_hash(self.root, name, self.architecture) != sources:
            raise Conflict(f"the sources of {name} were changed while they were packed: run `ebb package` again")
        zipped = self.zip_of(name)
        return Entry(sources, sha256_of(zipped), zipped.stat().st_size, unzipped)
