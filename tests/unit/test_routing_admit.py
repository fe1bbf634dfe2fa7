"""What comes into force: releases that work, whose contracts get along."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ebb.contract import parse_contract
from ebb.errors import ReleaseError, RoutingError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import LoadedRelease, load_release
from ebb.routing.admit import admit, check_contracts
from ebb.routing.change import Roles, promoted, rolled_back, with_roles
from ebb.routing.table import Challenger, Change, Cheap, Shadow
from tests.fakes.contracts import TEXT, tiny_contract
from tests.fakes.releases import tiny_release, with_manifest
from tests.fakes.routing import SET, first_table, version

PROMOTE, ROLLBACK = Change(3.0, "tests", "promote"), Change(4.0, "tests", "rollback")
MORE = '\n[[features]]\nname = "calls"\nkind = "integer"\nmissing = true\n'


class Shelf:
    """Real releases in a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, FolderReleases(root)
        self.versions = [self.put(tiny_release(float(bias))) for bias in range(4)]

    def put(self, files: Mapping[str, bytes]) -> str:
        self.store.write("tiny", m.version_of(files), files)
        return m.version_of(files)

    def load(self, release: str) -> LoadedRelease:
        return load_release(self.store, "tiny", release, OnnxScorer)

    def spoil(self, release: str) -> None:
        (self.root / "tiny" / release / "card.html").write_bytes(b"changed")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_releases_that_work_are_admitted(shelf: Shelf) -> None:
    one, two, three, four = shelf.versions
    roles = Roles((Challenger(two, 0.1),), Cheap(three), Shadow(four))
    admit(with_roles(first_table(one), roles, SET), shelf.load)


@pytest.mark.parametrize("role", ["champion", "challenger", "cheap", "shadow"])
def test_one_that_is_unknown_or_altered_is_refused_in_any_role(shelf: Shelf, role: str) -> None:
    one, two = shelf.versions[:2]

    def table_with(release: str) -> None:
        roles = {
            "champion": Roles(),
            "challenger": Roles((Challenger(release, 0.1),)),
            "cheap": Roles((), Cheap(release)),
            "shadow": Roles((), None, Shadow(release)),
        }[role]
        old = first_table(one)
        admit(promoted(old, release, PROMOTE) if role == "champion" else with_roles(old, roles, SET), shelf.load)

    with pytest.raises(RoutingError, match=f"since {version(5)} cannot serve: there is no release tiny/{version(5)}"):
        table_with(version(5))
    table_with(two)
    shelf.spoil(two)
    with pytest.raises(RoutingError, match=rf"stays as it is, since {two} cannot serve: .*sha256 of card\.html"):
        table_with(two)


def test_one_that_answers_its_golden_examples_differently_is_refused(shelf: Shelf) -> None:
    files = {**tiny_release(5.0), m.GOLDEN: tiny_release(6.0)[m.GOLDEN]}
    wrong = shelf.put(with_manifest({k: v for k, v in files.items() if k != m.MANIFEST}, tiny_contract()))
    with pytest.raises(RoutingError, match="golden examples of this release are answered differently"):
        admit(with_roles(first_table(shelf.versions[0]), Roles((Challenger(wrong, 0.1),)), SET), shelf.load)


def test_a_broken_champion_is_left_by_a_promotion_and_by_a_rollback(shelf: Shelf) -> None:
    one, two, three, _ = shelf.versions
    table = promoted(first_table(one), two, PROMOTE)
    table = with_roles(table, Roles((Challenger(three, 0.1),)), SET)
    shelf.spoil(two)
    admit(promoted(table, three, PROMOTE), shelf.load)
    admit(rolled_back(table, ROLLBACK), shelf.load)
    shelf.spoil(three)
    admit(rolled_back(table, ROLLBACK), shelf.load)
    shelf.spoil(one)
    with pytest.raises(RoutingError, match=f"since {one} cannot serve"):
        admit(rolled_back(table, ROLLBACK), shelf.load)


def test_a_previous_champion_that_is_tried_again_must_work(shelf: Shelf) -> None:
    one, two = shelf.versions[:2]
    table = promoted(first_table(one), two, PROMOTE)
    shelf.spoil(one)
    admit(with_roles(table, Roles(), SET), shelf.load)
    with pytest.raises(RoutingError, match=f"since {one} cannot serve"):
        admit(with_roles(table, Roles((Challenger(one, 0.1),)), SET), shelf.load)


def test_a_refused_table_names_why_whatever_the_loader_raises() -> None:
    def load(_release: str) -> LoadedRelease:
        raise ReleaseError("the bucket is empty")

    with pytest.raises(RoutingError, match="the bucket is empty"):
        admit(first_table(), load)


def _check(text: str, other: str = TEXT) -> None:
    check_contracts({"aaaaaaaaaaaa": parse_contract(other), "bbbbbbbbbbbb": parse_contract(text)})


def test_optional_features_may_be_added_by_any_release() -> None:
    _check(TEXT + MORE)
    _check(TEXT, TEXT + MORE)
    _check(TEXT + MORE.replace("missing = true", "default = 0"))
    _check(TEXT + MORE, TEXT + MORE.replace("calls", "visits"))


@pytest.mark.parametrize(
    ("text", "other", "says"),
    [
        (
            TEXT + MORE.replace("missing = true\n", ""),
            TEXT,
            "aaaaaaaaaaaa lacks the feature 'calls'.*bbbbbbbbbbbb needs",
        ),
        (
            TEXT,
            TEXT + MORE.replace("missing = true\n", ""),
            "bbbbbbbbbbbb removes the feature 'calls'.*aaaaaaaaaaaa needs",
        ),
        (
            TEXT.replace('"months"', '"days"'),
            TEXT,
            r"'tenure' of release aaaaaaaaaaaa \(integer in months there, integer in days",
        ),
        (
            TEXT.replace('kind = "number"', 'kind = "integer"'),
            TEXT,
            r"bbbbbbbbbbbb retypes the feature 'spend' of release aaaaaaaaaaaa \(number there, integer here\)",
        ),
        (TEXT + MORE, TEXT + MORE.replace("integer", "number"), "retypes the feature 'calls'"),
    ],
)
def test_a_removed_or_retyped_feature_is_refused(text: str, other: str, says: str) -> None:
    with pytest.raises(RoutingError, match=says):
        _check(text, other)


def test_every_pair_is_compared_the_previous_champion_among_them(shelf: Shelf) -> None:
    retyped = shelf.put(tiny_release(7.0, TEXT.replace('"months"', '"days"')))
    one, two = shelf.versions[:2]
    with pytest.raises(RoutingError, match=f"release {retyped} retypes the feature 'tenure' of release {one}"):
        admit(with_roles(first_table(one), Roles((Challenger(two, 0.1), Challenger(retyped, 0.1))), SET), shelf.load)
    with pytest.raises(RoutingError, match=f"release {one} retypes the feature 'tenure' of release {retyped}"):
        admit(promoted(first_table(one), retyped, PROMOTE), shelf.load)
    admit(replace(first_table(retyped), version=2), shelf.load)
