"""Releases by `ebb promote` and `ebb rollback`, a running cloud by `ebb route`: both agree on who is champion."""

from collections.abc import Iterator

import pytest

from ebb.folder import FolderReleases
from tests.fakes.releases import tiny_release, version_in
from tests.home import Home

ONE, TWO = (version_in(tiny_release(float(bias))) for bias in range(2))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A local cloud with two releases, the first of which is the champion."""
    home = Home(tmp_path_factory.mktemp("roles"))
    store = FolderReleases(home.folder / "releases")
    for bias in range(2):
        files = tiny_release(float(bias))
        store.write("tiny", version_in(files), files)
    store.set_champion("tiny", ONE)
    home.ok("up", "--port", "0", "--environments", "1", "--detach")
    yield home
    assert home.ebb("down").returncode == 0


def test_the_folder_leads_and_a_running_cloud_is_told(home: Home) -> None:
    store = FolderReleases(home.folder / "releases")
    told = home.ok("promote", TWO)
    assert f"ebb route promote {TWO}" in told
    assert "ebb up" not in told.partition("Next:")[2]
    assert home.json("status")["release"] == ONE, "a cloud that is up is not changed behind its back"
    home.ok("route", "promote", TWO)
    assert home.json("status")["release"] == TWO
    assert (store.champion("tiny"), store.previous("tiny")) == (TWO, ONE), "it was the champion there already"

    home.ok("route", "rollback")
    assert (store.champion("tiny"), store.previous("tiny")) == (ONE, TWO)
    roles = {each["version"]: each["roles"] for each in home.json("releases")["releases"]}
    assert roles == {ONE: ["champion"], TWO: ["previous"]}

    assert home.json("rollback")["champion"] == TWO
    assert home.json("status")["release"] == ONE
    again = home.ebb("promote", TWO)
    assert again.returncode == 1
    assert f"tiny/{TWO} is the champion already: nothing changed" in again.stderr
