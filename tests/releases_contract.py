"""What every store of releases promises: the same tests for the folder, the fake and S3."""

import threading

import pytest

from ebb.errors import NoRelease, ReleaseError
from ebb.ports import ReleaseStore
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import version

A, B, C, D = (version(number) for number in range(1, 5))


def filled(store: ReleaseStore) -> ReleaseStore:
    for name in (A, B, C, D):
        store.write("tiny", name, {"card.html": b"<!doctype html>"})
    return store


def roles(store: ReleaseStore) -> tuple[str | None, str | None, str | None]:
    return store.champion("tiny"), store.previous("tiny"), store.challenger("tiny")


class ReleasesContract:
    """Subclasses bring the fixture `store`: one that is filled."""

    def test_nobody_has_a_role_at_first(self, store: ReleaseStore) -> None:
        assert roles(store) == (None, None, None)
        assert store.cheap("tiny") is None

    def test_the_first_champion_follows_nobody(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        assert roles(store) == (A, None, None)

    def test_the_champion_before_is_remembered_and_two_change_places(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_champion("tiny", B)
        assert roles(store) == (B, A, None)
        store.set_champion("tiny", A)
        assert roles(store) == (A, B, None)
        store.set_champion("tiny", C)
        assert roles(store) == (C, A, None)

    def test_the_same_champion_again_keeps_the_one_before(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_champion("tiny", B)
        store.set_champion("tiny", B)
        assert roles(store) == (B, A, None)

    def test_a_challenger_waits_until_it_is_champion(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_challenger("tiny", B)
        assert roles(store) == (A, None, B)
        store.set_champion("tiny", C)
        assert roles(store) == (C, A, B)
        store.set_champion("tiny", B)
        assert roles(store) == (B, C, None)

    def test_a_challenger_that_was_champion_does_not_come_back(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_challenger("tiny", B)
        for champion in (B, A, C, D):
            store.set_champion("tiny", champion)
            assert store.challenger("tiny") is None

    def test_who_is_or_was_champion_does_not_wait(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_champion("tiny", B)
        for name in (A, B):
            store.set_challenger("tiny", name)
            assert roles(store) == (B, A, None)

    def test_a_cheap_release_belongs_to_one_champion(self, store: ReleaseStore) -> None:
        with pytest.raises(NoRelease, match="no champion"):
            store.set_cheap("tiny", B)
        store.set_champion("tiny", A)
        store.set_cheap("tiny", B)
        assert (store.cheap("tiny"), *roles(store)) == (B, A, None, None)
        store.set_champion("tiny", C)
        assert (store.cheap("tiny"), *roles(store)) == (None, C, A, None)
        store.set_champion("tiny", A)
        assert store.cheap("tiny") == B, "it comes back with its champion"

    def test_a_cheap_release_waits_for_who_may_become_champion(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        store.set_cheap("tiny", D, beside=C)
        assert store.cheap("tiny") is None
        store.set_champion("tiny", C)
        assert store.cheap("tiny") == D
        with pytest.raises(NoRelease, match=f"there is no release tiny/{version(9)}"):
            store.set_cheap("tiny", D, beside=version(9))

    def test_a_release_that_is_none_gets_no_role(self, store: ReleaseStore) -> None:
        store.set_champion("tiny", A)
        for name in (store.set_champion, store.set_challenger):
            with pytest.raises(NoRelease, match=f"there is no release tiny/{version(9)}"):
                name("tiny", version(9))
        assert roles(store) == (A, None, None)

    def test_a_release_is_read_as_it_was_written(self, store: ReleaseStore) -> None:
        files = tiny_release()
        store.write("tiny", version_in(files), files)
        assert store.read("tiny", version_in(files)) == files
        assert store.versions("tiny") == sorted([A, B, C, D, version_in(files)])
        assert store.contracts() == ["tiny"]

    def test_one_that_is_not_there_is_told(self, store: ReleaseStore) -> None:
        with pytest.raises(ReleaseError, match=f"there is no release tiny/{version(9)}"):
            store.read("tiny", version(9))


class LastingReleasesContract(ReleasesContract):
    """Of stores that outlive a process."""

    def test_the_first_content_of_a_version_stands(self, store: ReleaseStore) -> None:
        store.write("tiny", A, {"card.html": b"another", "more": b""})
        assert store.read("tiny", A) == {"card.html": b"<!doctype html>"}

    def test_two_who_name_at_once_remember_each_other(self, store: ReleaseStore) -> None:
        """Whoever comes second finds the first as the champion before: nobody is lost."""
        store.set_champion("tiny", A)
        for _ in range(10):
            before = store.champion("tiny")
            others = [name for name in (B, C, D) if name != before][:2]
            threads = [threading.Thread(target=store.set_champion, args=("tiny", name)) for name in others]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert {store.champion("tiny"), store.previous("tiny")} == set(others)

    def test_a_contract_without_releases_has_none(self, store: ReleaseStore) -> None:
        assert store.versions("other") == []
        assert store.champion("other") is None
        with pytest.raises(NoRelease):
            store.set_champion("other", A)

    @pytest.mark.parametrize("name", ["", "..", "../tiny", "a/b", "Tiny", "x" * 64])
    def test_what_is_no_name_leads_nowhere(self, store: ReleaseStore, name: str) -> None:
        with pytest.raises(ReleaseError, match="not the name of a contract"):
            store.champion(name)
        with pytest.raises(ReleaseError, match="not the version of a release"):
            store.read("tiny", name)
