"""The stages of a training by their titles, rows enough for worker processes, and what must always be whole."""

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_release
from tests.integration.small_problem import NAME

LARGE = 20_100
"""Rows enough for worker processes."""
STAGES = (
    "Accept columns",
    "Validate the data",
    "Search",
    "Fit on all rows",
    "Export one ONNX graph",
    "Prove graph and model equal",
    "Judge what it is worth",
    "Describe the release",
    "Write and register the release",
)
CHEAP_STAGE = "Make the cheap release beside it"


def whole(store: FolderReleases) -> None:
    """Check that every release that can be seen is whole, and so is every name."""
    for version in store.versions(NAME):
        load_release(store, NAME, version, OnnxScorer)
    for named in (store.champion(NAME), store.cheap(NAME), store.challenger(NAME)):
        assert named is None or named in store.versions(NAME)
