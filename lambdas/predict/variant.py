"""What stands for a release while it serves: its graph, or only its contract's rules, with all that can be prepared."""

from collections.abc import Callable

from ebb.contract.model import Contract
from ebb.decision import threshold
from ebb.events.layout import Layout
from ebb.features.inputs import accept_row
from ebb.ports import ReleaseStore, Scorer
from ebb.reasons import Explainer
from ebb.release.load import LoadedRelease, load_release, load_rules
from ebb.rules import rules_version
from lambdas.predict.rows import RowPlan


class Variant:
    """A release that may answer.

    Attributes:
        contract: the release's.
        release: the loaded release; None where only its rules can be had.
        rows: resolves its rows.
        layout: the places of its features in prediction events.
        threshold: probability from which acting pays.
        rules_version: of the contract's rules.
        name: `contract/version`.
        sha256: the release's own; None where only its rules can be had.
        explainer: gives reason codes; None where only its rules can be had.
    """

    def __init__(self, contract: Contract, name: str, release: LoadedRelease | None) -> None:
        self.contract, self.name, self.release = contract, name, release
        self.rows = RowPlan(contract)
        self.layout = Layout(contract)
        self.threshold = threshold(contract.decision)
        self.rules_version = rules_version(contract.rules)
        self.sha256 = release.sha256 if release else None
        self.explainer = _explainer(release) if release else None


def _explainer(release: LoadedRelease) -> Explainer:
    contract = release.contract
    return Explainer(contract, release.scorer, accept_row(contract, release.reference.typical(contract)))


class VariantLoader:
    """Makes variants from a store of releases.

    Args:
        releases: where they lie.
        make_scorer: from the graph's bytes to a scorer.
        pause: called between the steps of a load.
    """

    def __init__(
        self,
        releases: ReleaseStore,
        make_scorer: Callable[[bytes], Scorer],
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._releases, self._make_scorer, self._pause = releases, make_scorer, pause

    def load(self, contract: str, version: str) -> Variant:
        """Read, verify and load a release, and let it answer its golden examples, which warms it.

        Raises:
            ReleaseError: it cannot be trusted, or there is none.
        """
        release = load_release(self._releases, contract, version, self._make_scorer, self._pause)
        return Variant(release.contract, release.name, release)

    def rules_only(self, contract: str, version: str) -> Variant:
        """Return what a release that cannot be loaded leaves: its contract, if that at least is unaltered.

        Raises:
            ReleaseError: not even that.
        """
        return Variant(load_rules(self._releases, contract, version), f"{contract}/{version}", None)
