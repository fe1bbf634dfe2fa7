"""Promotion and rollback: store and registry agree after every step, and what cannot be done moves nothing."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ebb.errors import EbbError, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from tests.fakes.releases import tiny_release
from tests.integration.registry_case import NAME, aliases, draft, full, roles
from training.promote import promote, roll_back
from training.publish import publish
from training.registry.listing import list_releases


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry in a file, made with the first release of this module: that takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


def test_without_a_registry_nothing_is_noted_or_made(tmp_path: Path) -> None:
    """Releases that were copied from elsewhere: promoted and taken back by files alone."""
    store = FolderReleases(tmp_path)
    versions = [draft(bias).version for bias in (4.0, 4.1)]
    for bias, version in zip((4.0, 4.1), versions, strict=True):
        store.write(NAME, version, tiny_release(bias))
    for version in versions:
        assert promote(NAME, version, tmp_path).notes == ()
    assert roll_back(NAME, tmp_path).champion == versions[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", NAME]
    assert list_releases(tmp_path).pending == ()


def test_a_damaged_release_is_neither_promoted_nor_gone_back_to(address: str, tmp_path: Path) -> None:
    one, two = draft(4.2), draft(4.3)
    for each in (one, two):
        publish(each, tmp_path, registry_uri=address)
    (tmp_path / NAME / one.version / "card.html").write_text("altered")
    for move in ("promote", "roll_back"):
        with pytest.raises(ReleaseError, match="was altered"):
            _move(move, tmp_path, one.version, address)
    assert roles(tmp_path) == {"champion": two.version, "previous": one.version}


def test_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match="there is no folder of releases"):
        roll_back(NAME, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(NoRelease, match="no previous champion to go back to"):
        roll_back(NAME, tmp_path)


@pytest.mark.parametrize("move", ["promote", "roll_back"])
def test_a_disk_that_is_full_moves_nothing(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    for bias in (4.4, 4.5):
        publish(draft(bias), tmp_path, registry_uri=address)
    publish(draft(4.6), tmp_path, promote=False, registry_uri=address)
    before = roles(tmp_path)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ReleaseError, match="could not be named: No space left on device"):
            _move(move, tmp_path, draft(4.6).version, address)
    assert roles(tmp_path) == before == aliases(address)


def _move(move: str, releases: Path, version: str, uri: str) -> object:
    if move == "promote":
        return promote(NAME, version, releases, registry_uri=uri)
    return roll_back(NAME, releases, registry_uri=uri)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system with releases, champion and previous, that can be read and not written."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if (done := subprocess.run(mount, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        store = FolderReleases(disk)
        for bias in (4.0, 4.1):
            store.write(NAME, draft(bias).version, tiny_release(bias))
            promote(NAME, draft(bias).version, disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("move", ["promote", "roll_back"])
def test_a_folder_that_cannot_be_written_is_said(read_only: Path, move: str) -> None:
    before = roles(read_only)
    with pytest.raises(ReleaseError, match="Read-only file system"):
        _move(move, read_only, draft(4.0).version, "")
    assert roles(read_only) == before
    assert {each.damage for each in list_releases(read_only).releases} == {""}


def test_two_promotions_at_once_come_one_after_the_other(address: str, tmp_path: Path) -> None:
    publish(draft(4.7), tmp_path, registry_uri=address)
    others = [draft(4.8), draft(4.9)]
    for each in others:
        publish(each, tmp_path, promote=False, registry_uri=address)
    failed: list[EbbError] = []

    def run(version: str) -> None:
        try:
            promote(NAME, version, tmp_path, registry_uri=address)
        except EbbError as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(each.version,)) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert set(roles(tmp_path).values()) == {each.version for each in others}
    assert aliases(address) == roles(tmp_path)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["train", "wait"]), st.integers(0, 3)),
        st.tuples(st.just("promote"), st.integers(0, 3)),
        st.tuples(st.just("rollback"), st.just(0)),
    ),
    min_size=1,
    max_size=7,
)


class Model:
    """What the roles must be: three names, moved by the words of the commands."""

    def __init__(self) -> None:
        self.trained: set[str] = set()
        self.champion: str | None = None
        self.previous: str | None = None
        self.waiting: str | None = None

    def crown(self, version: str | None) -> None:
        if version != self.champion:
            self.champion, self.previous = version, self.champion
        if self.waiting in {self.champion, self.previous}:
            self.waiting = None

    def step(self, word: str, version: str) -> bool:
        """Return whether the step is allowed."""
        if word in {"train", "wait"}:
            self.trained.add(version)
            self.waiting = None if version in {self.champion, self.previous} else version
            if word == "train":
                self.crown(version)
        elif word == "promote":
            if version not in self.trained or version == self.champion:
                return False
            self.crown(version)
        elif self.previous is None:
            return False
        else:
            self.crown(self.previous)
        return True

    def roles(self) -> dict[str, str]:
        told = {"champion": self.champion, "previous": self.previous, "challenger": self.waiting}
        return {role: version for role, version in told.items() if version}


def _run(word: str, bias: int, releases: Path, uri: str) -> bool:
    made = draft(8.0 + bias)
    try:
        if word in {"train", "wait"}:
            publish(made, releases, promote=word == "train", registry_uri=uri)
        elif word == "promote":
            promote(NAME, made.version, releases, registry_uri=uri)
        else:
            roll_back(NAME, releases, registry_uri=uri)
    except ReleaseError:
        return False
    return True


@given(STEPS)
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_file_and_registry_follow_the_model_through_any_steps(
    address: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """The registry is shared by all examples: whatever it said before, it follows the folder at hand."""
    releases, model = tmp_path_factory.mktemp("steps"), Model()
    for word, bias in steps:
        allowed = model.step(word, draft(8.0 + bias).version)
        assert _run(word, bias, releases, address) is allowed
        assert roles(releases) == model.roles()
        if allowed:
            assert aliases(address) == model.roles()
