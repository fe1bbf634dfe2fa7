"""What is shipped to Lambda: which archives there are, what each is made of, and whether the packed one is fresh.

    dist/manifest.json, sbom.cdx.json           for arm64; what was packed for x86-64 lies in dist/x86-64
    dist/layers/ebb.zip                         python/ebb: the package `ebb`
    dist/layers/runtime.zip                     python/: the wheels of layers/runtime/requirements.txt
    dist/functions/<name>.zip                   lambdas/__init__.py, lambdas/<name>, and the wheels it alone needs

Nothing is built here, and nothing but the standard library is imported: the stacks read it at synth, `local.package`
packs by it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ARM64, X86_64 = "arm64", "x86-64"
ARCHITECTURES = (ARM64, X86_64)
PYTHON = "3.13"
"""Lambda's Python, for which wheels are chosen and bytecode is compiled."""

LAYERS = ("ebb", "runtime")
PREDICT = "predict"
LOCK = "requirements.txt"
MANIFEST, BILL = "manifest.json", "sbom.cdx.json"
RECIPE = ("build.py", "bytecode.py", "slimming.py", "started.py", "wheels.py", "zipping.py")
"""Modules of local/package that decide an archive's bytes, besides what it is made of."""

_NOT_PACKED = (".pyc", ".pyo", "~", "requirements.in", "requirements.txt")


class ArchiveError(ValueError):
    """An archive that does not exist by name, or whose bytes are not those that were packed."""


@dataclass(frozen=True)
class Archive:
    """One archive and what it is made of.

    Attributes:
        root: the checkout.
        name: of the layer or function.
        architecture: of its native libraries, one of `ARCHITECTURES`.
    """

    root: Path
    name: str
    architecture: str = ARM64

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer; a function otherwise."""
        return self.name in LAYERS

    @property
    def folder(self) -> Path:
        """The folder of its sources in the checkout."""
        return self.root / ("layers" if self.is_layer else "lambdas") / self.name

    @property
    def prefix(self) -> str:
        """Where its packages lie inside: Lambda puts a layer's folder `python` on the path."""
        return "python" if self.is_layer else ""

    @property
    def lock(self) -> Path | None:
        """The lock of its wheels; None where it has none."""
        lock = self.folder / LOCK
        return lock if lock.is_file() else None

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Its own files by their paths inside, in order; wheels are not among them."""
        if self.name == "runtime":
            return {}
        if self.is_layer:
            return dict(_walk(self.folder / self.name, f"{self.prefix}/{self.name}"))
        package = self.folder.parent / "__init__.py"
        return {"lambdas/__init__.py": package, **dict(_walk(self.folder, f"lambdas/{self.name}"))}

    @property
    def inside_dist(self) -> str:
        """Where it is packed to, below the folder of its architecture."""
        return f"{'layers' if self.is_layer else 'functions'}/{self.name}.zip"

    @property
    def packed(self) -> Path:
        """Where it lies when it has been packed."""
        return dist(self.root, self.architecture) / self.inside_dist


def dist(root: Path, architecture: str = ARM64) -> Path:
    """Return the folder of what is packed for an architecture.

    Raises:
        ArchiveError: there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise ArchiveError(f"there is no architecture {architecture!r}: say {' or '.join(ARCHITECTURES)}")
    return root / "dist" if architecture == ARM64 else root / "dist" / architecture


def functions(root: Path) -> tuple[str, ...]:
    """Return the functions' names, sorted: every folder of `lambdas` that has a handler is one."""
    return tuple(sorted(handler.parent.name for handler in (root / "lambdas").glob("*/handler.py")))


def names(root: Path) -> tuple[str, ...]:
    """Return the names of all archives: layers first."""
    return LAYERS + functions(root)


def made_of(root: Path, name: str, architecture: str = ARM64) -> Archive:
    """Return an archive by its name.

    Raises:
        ArchiveError: there is no such archive, or no such architecture.
    """
    if name not in names(root):
        raise ArchiveError(f"there is no archive {name!r}: {root} has {', '.join(names(root))}")
    dist(root, architecture)
    return Archive(root, name, architecture)


def source_hash(root: Path, name: str, architecture: str = ARM64) -> str:
    """Return a SHA-256 over what an archive is made of: files by path and bytes, lock, architecture, recipe.

    It is the same on every machine, in every folder, before and after packing.

    Raises:
        ArchiveError: there is no such archive, or no such architecture.
    """
    made = made_of(root, name, architecture)
    digest = hashlib.sha256(f"ebb archive {name} python{PYTHON}\n".encode())
    for path, file in made.files.items():
        _add(digest, path, file.read_bytes())
    if made.lock is not None:
        _add(digest, f"lock for {architecture}", made.lock.read_bytes())
    for module in RECIPE:
        _add(digest, f"recipe {module}", (root / "local/package" / module).read_bytes())
    return digest.hexdigest()


def packed(root: Path, name: str, architecture: str = ARM64) -> Path | None:
    """Return where an archive lies, when it was packed from what the sources are now; None otherwise.

    Raises:
        ArchiveError: there is no such archive, or its bytes are not those that were packed.
    """
    made = made_of(root, name, architecture)
    entry = read_manifest(root, architecture).get(name)
    if entry is None or entry.source_sha256 != source_hash(root, name, architecture):
        return None
    try:
        found = sha256_of(made.packed)
    except FileNotFoundError:
        return None
    if found != entry.archive_sha256:
        raise ArchiveError(
            f"{made.packed} is not what was packed: its SHA-256 is {found[:12]}..., the manifest says "
            f"{entry.archive_sha256[:12]}...; run `ebb package --again --arch {architecture}`"
        )
    return made.packed


def archive(root: Path, name: str, architecture: str = ARM64) -> Path:
    """Return what the stacks name: the packed archive where it is fresh, else its sources' folder.

    So that synth needs no packing; only what was packed may be deployed.

    Raises:
        ArchiveError: see `packed`.
    """
    return packed(root, name, architecture) or made_of(root, name, architecture).folder


def unpacked(root: Path, architecture: str = ARM64) -> list[str]:
    """Return the archives that were not packed from what the sources are now.

    Raises:
        ArchiveError: see `packed`.
    """
    return [name for name in names(root) if packed(root, name, architecture) is None]


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one archive.

    Attributes:
        source_sha256: see `source_hash`.
        archive_sha256: of the zip's bytes.
        bytes_zipped, bytes_unzipped: its size, and the sum of the sizes of its files.
    """

    source_sha256: str
    archive_sha256: str
    bytes_zipped: int
    bytes_unzipped: int


def read_manifest(root: Path, architecture: str = ARM64) -> dict[str, Entry]:
    """Return the manifest's entries by archive; none where nothing was packed, or nothing that can be read."""
    try:
        told = json.loads((dist(root, architecture) / MANIFEST).read_bytes())
        return {name: Entry(**entry) for name, entry in told.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden and not path.name.endswith(_NOT_PACKED):
            yield f"{prefix}/{'/'.join(parts)}", path


def _add(digest: "hashlib._Hash", title: str, content: bytes) -> None:
    digest.update(f"{title}\n{len(content)}\n".encode() + content)
