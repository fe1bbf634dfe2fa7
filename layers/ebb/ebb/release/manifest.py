"""What a release consists of, and the proof that nothing of it has changed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256

from ebb.errors import ReleaseError

MODEL, CONTRACT, REFERENCE = "model.onnx", "contract.toml", "reference.json"
GOLDEN, METRICS, CARD, MANIFEST = "golden.jsonl", "metrics.json", "card.html", "manifest.json"
FILES = (MODEL, CONTRACT, REFERENCE, GOLDEN, METRICS, CARD)
"""Every file of a release but the manifest itself."""

_TABLES = frozenset({"files", "libraries"})


@dataclass(frozen=True)
class Manifest:
    """The release's list of itself.

    Attributes:
        contract: the contract's name.
        version: 12 hex digits over model, contract and reference.
        files: sha256 of each file, hex.
        data_sha256: of the training data as accepted.
        git_commit: of the code that made it; empty outside a repository.
        libraries: versions by package.
        instruction_set: where the golden answers were computed.
        created: UTC time, ISO 8601.
        run_id: MLflow run; empty where the registry was away.
    """

    contract: str
    version: str
    files: Mapping[str, str]
    data_sha256: str
    git_commit: str
    libraries: Mapping[str, str]
    instruction_set: str
    created: str
    run_id: str

    def __post_init__(self) -> None:
        """Refuse what JSON may carry and a manifest does not.

        Raises:
            TypeError: names the field.
        """
        for name, value in self.__dict__.items():
            if not isinstance(value, dict if name in _TABLES else str):
                raise TypeError(name)

    @staticmethod
    def from_files(files: Mapping[str, bytes]) -> "Manifest":
        """Read the manifest among a release's files.

        Raises:
            ReleaseError: it is missing, or not what Ebb writes.
        """
        if MANIFEST not in files:
            raise ReleaseError(f"this is no release: {MANIFEST} is missing")
        try:
            return Manifest(**json.loads(files[MANIFEST]))
        except (ValueError, TypeError, RecursionError):
            raise ReleaseError(f"this release cannot be read: its {MANIFEST} is not what Ebb writes") from None

    def to_bytes(self) -> bytes:
        """Return the JSON text."""
        return (json.dumps(asdict(self), indent=2, sort_keys=True) + "\n").encode()


def digest(content: bytes) -> str:
    """Return the sha256 in hex."""
    return sha256(content).hexdigest()


def version_of(files: Mapping[str, bytes]) -> str:
    """Return the version: 12 hex digits over the model's, the contract's and the reference's hashes."""
    return digest("".join(digest(files[name]) for name in (MODEL, CONTRACT, REFERENCE)).encode())[:12]


def verify(files: Mapping[str, bytes], contract: str) -> Manifest:
    """Check a release's files against its manifest before anything of them is used.

    Args:
        files: content by name, the manifest among them.
        contract: the name of the contract that the reader serves.

    Raises:
        ReleaseError: a file is missing, added or changed, or the release belongs to another contract.
    """
    manifest = Manifest.from_files(files)
    where = f"release {manifest.contract}/{manifest.version}"
    advice = "do not use it: train again, or restore it from its source"
    if manifest.contract != contract:
        raise ReleaseError(f"{where} belongs to the contract {manifest.contract!r}, but {contract!r} is served here")
    for name in FILES:
        if name not in files:
            raise ReleaseError(f"{where} is incomplete: {name} is missing; {advice}")
        if digest(files[name]) != manifest.files.get(name):
            raise ReleaseError(f"{where} was altered: the sha256 of {name} is not the manifest's; {advice}")
    if extra := sorted(set(files) - {*FILES, MANIFEST}):
        raise ReleaseError(f"{where} holds {extra[0]}, which its manifest does not list; {advice}")
    if version_of(files) != manifest.version:
        raise ReleaseError(f"{where} does not carry its own version (its content says {version_of(files)}); {advice}")
    return manifest
