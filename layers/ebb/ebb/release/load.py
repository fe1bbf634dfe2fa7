"""From a store to a release that is verified, loaded and has answered its golden examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ebb.contract import Contract, parse_contract
from ebb.errors import ContractError, NoRelease, ReleaseError
from ebb.ports import ReleaseStore, Scorer
from ebb.release.golden import check_golden, golden_from_bytes
from ebb.release.manifest import CONTRACT, GOLDEN, MANIFEST, MODEL, REFERENCE, Manifest, digest, verify
from ebb.release.reference import Reference


@dataclass(frozen=True)
class LoadedRelease:
    """A release that may answer.

    Attributes:
        contract, manifest, reference: as in its files.
        scorer: its graph, warm.
        sha256: of the manifest, which is the release's own.
    """

    contract: Contract
    manifest: Manifest
    reference: Reference
    scorer: Scorer
    sha256: str

    @property
    def name(self) -> str:
        """`contract/version`."""
        return f"{self.manifest.contract}/{self.manifest.version}"


def load_release(
    store: ReleaseStore,
    contract: str,
    version: str,
    make_scorer: Callable[[bytes], Scorer],
    pause: Callable[[], None] = lambda: None,
) -> LoadedRelease:
    """Read, verify, load and check one release.

    Args:
        store: where releases lie.
        contract: its name.
        version: the release.
        make_scorer: from the graph's bytes to a scorer.
        pause: called between one step and the next, so that who loads beside requests can let them pass.

    Raises:
        NoRelease: there is no such release.
        ReleaseError: it is altered, incomplete, another contract's, or answers its golden examples differently.
    """
    files, manifest, parsed = _verified(store, contract, version)
    pause()
    scorer = make_scorer(files[MODEL])
    examples = golden_from_bytes(files[GOLDEN])
    pause()
    check_golden(parsed, scorer, examples, manifest.instruction_set, pause)
    reference = Reference.from_bytes(files[REFERENCE])
    return LoadedRelease(parsed, manifest, reference, scorer, digest(files[MANIFEST]))


def load_contract(store: ReleaseStore, contract: str, version: str | None = None) -> Contract:
    """Verify the files of a release and return its contract, without loading the graph.

    Args:
        store: where releases lie.
        contract: its name.
        version: the release; None for the champion.

    Raises:
        NoRelease: there is no such release, or no champion yet.
        ReleaseError: the release is altered, incomplete or another contract's.
    """
    return _verified(store, contract, version or _champion(store, contract))[2]


def load_rules(store: ReleaseStore, contract: str, version: str) -> Contract:
    """Return the contract of a release that cannot be used otherwise: its rules can still answer.

    Only the contract's own sha256 is asked for; a graph that is altered or gone does not matter.

    Raises:
        NoRelease: there is no such release.
        ReleaseError: the contract is altered or gone too.
    """
    name = f"{contract}/{version}"
    files = store.read(contract, version)
    manifest = Manifest.from_files(files)
    text = files.get(CONTRACT, b"")
    if (manifest.contract, manifest.version) != (contract, version) or digest(text) != manifest.files.get(CONTRACT):
        raise ReleaseError(f"neither the graph nor the contract of release {name} can be used: restore it")
    return _contract(text, name, contract)


def load_champion(store: ReleaseStore, contract: str, make_scorer: Callable[[bytes], Scorer]) -> LoadedRelease:
    """Load the release that serves.

    Raises:
        NoRelease: the contract has no champion yet.
        ReleaseError: see `load_release`.
    """
    return load_release(store, contract, _champion(store, contract), make_scorer)


def _champion(store: ReleaseStore, contract: str) -> str:
    version = store.champion(contract)
    if version is None:
        raise NoRelease(f"there is no release of {contract!r} yet: train one with `ebb train`")
    return version


def _verified(store: ReleaseStore, contract: str, version: str) -> tuple[Mapping[str, bytes], Manifest, Contract]:
    """Read a release and check that it is whole, unaltered and the one that was asked for."""
    name = f"{contract}/{version}"
    files = store.read(contract, version)
    manifest = verify(files, contract)
    if manifest.version != version:
        raise ReleaseError(f"release {name} is really {contract}/{manifest.version}: give the folder its own name back")
    return files, manifest, _contract(files[CONTRACT], name, contract)


def _contract(text: bytes, name: str, contract: str) -> Contract:
    try:
        parsed = _parsed(text)
    except (ContractError, UnicodeDecodeError) as error:
        raise ReleaseError(f"release {name} cannot be used: {error}") from None
    if parsed.name != contract:
        raise ReleaseError(f"release {name} cannot be used: its contract is named {parsed.name!r}")
    return parsed


@lru_cache(maxsize=2)
def _parsed(text: bytes) -> Contract:
    """Parse a contract, or return the one of the same text: releases that follow each other mostly share it.

    Of all that a load does beside requests, parsing would keep them waiting longest: it is Python throughout.
    """
    return parse_contract(text.decode(), "its contract")
