"""The cheap release through trainings, promotions and rollbacks: the champion's own or none, in store and registry."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient

from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from tests.integration.registry_case import NAME, aliases, draft
from training.promote import promote, roll_back
from training.publish import publish, publish_cheap

QUICK = 20.0
"""Bias of the cheap release of a training, above that of its champion."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["train", "train with", "wait", "wait with"]), st.integers(0, 3)),
        st.tuples(st.just("promote"), st.integers(0, 3)),
        st.tuples(st.just("rollback"), st.just(0)),
    ),
    min_size=2,
    max_size=7,
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry in a file, made with the first release of this module: that takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


def _run(word: str, bias: int, releases: Path, uri: str) -> None:
    made, quick = draft(10.0 + bias), draft(10.0 + QUICK + bias)
    if word == "promote":
        promote(NAME, made.version, releases, registry_uri=uri)
    elif word == "rollback":
        roll_back(NAME, releases, registry_uri=uri)
    else:
        publish(made, releases, promote=word.startswith("train"), registry_uri=uri)
        if word.endswith("with"):
            publish_cheap(quick, releases, beside=made.version, registry_uri=uri)


@given(STEPS)
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_champion_has_its_own_cheap_release_or_none(
    address: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    releases, pairs = tmp_path_factory.mktemp("steps"), dict[str, str]()
    store = FolderReleases(releases)
    for word, bias in steps:
        try:
            _run(word, bias, releases, address)
        except ReleaseError:  # nobody to go back to, or no such release: nothing moved
            continue
        finally:
            if word.endswith("with"):
                pairs[draft(10.0 + bias).version] = draft(10.0 + QUICK + bias).version
            champion = store.champion(NAME)
            assert store.cheap(NAME) == pairs.get(champion or "")
        assert aliases(address).get("cheap") == store.cheap(NAME)


def test_a_training_without_one_takes_the_alias_away_and_a_rollback_brings_it_back(
    address: str, tmp_path: Path
) -> None:
    first, quick, second = draft(31.0), draft(32.0), draft(33.0)
    publish(first, tmp_path, registry_uri=address)
    publish_cheap(quick, tmp_path, registry_uri=address)
    publish(second, tmp_path, registry_uri=address)
    store = FolderReleases(tmp_path)
    assert (store.champion(NAME), store.cheap(NAME)) == (second.version, None)
    assert "cheap" not in MlflowClient(address, address).get_registered_model(NAME).aliases
    roll_back(NAME, tmp_path, registry_uri=address)
    assert (store.champion(NAME), store.cheap(NAME)) == (first.version, quick.version)
    assert aliases(address)["cheap"] == quick.version
