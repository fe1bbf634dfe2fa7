"""Who may become the champion: every refusal by its own reason, and nobody else refused."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import EbbError, GateRefused, NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from tests.fakes.contracts import TEXT, tiny_contract
from tests.fakes.releases import tiny_metrics, tiny_release, version_in
from training.promotable import check_gates, check_promotable

OVER = TEXT.replace("max_calibration_error = 0.1\n", "max_calibration_error = 0.1\nmin_profit_over_champion = 0.2\n")
SPEND = 'name = "spend"\ncolumn = "Monthly  spend"\nkind = "number"\nmissing = true\n'
RENAMED = TEXT.replace('positive = "yes"', 'positive = "gone"')
RETYPED = TEXT.replace('name = "tenure"\nkind = "integer"', 'name = "tenure"\nkind = "number"')


class Shelf:
    """A store that tests fill."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, FolderReleases(folder)

    def put(self, bias: float, text: str = TEXT, **metrics: Any) -> str:
        files = tiny_release(bias, text, **metrics)
        self.store.write("tiny", version_in(files), files)
        return version_in(files)

    def crowned(self, bias: float, text: str = TEXT, **metrics: Any) -> str:
        version = self.put(bias, text, **metrics)
        self.store.set_champion("tiny", version)
        return version

    def check(self, version: str, *, breaking: bool = False) -> tuple[str, ...]:
        return check_promotable(self.store, "tiny", version, breaking=breaking)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def gate(name: str, value: float | None, limit: float | None, *, at_least: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "at_least": at_least, "rows": 4}


def gates(*more: dict[str, Any]) -> list[dict[str, Any]]:
    named = {each["name"] for each in more}
    return [*(each for each in tiny_metrics()["gates"] if each["name"] not in named), *more]


def compared(version: str, over: float = 0.3) -> dict[str, Any]:
    return {"champion": {"version": version}, "gates": gates(gate("min_profit_over_champion", over, 0.2))}


def test_the_first_release_needs_no_champion(shelf: Shelf) -> None:
    assert shelf.check(shelf.put(0.1)) == ()


def test_a_second_one_follows_without_being_compared_where_no_gate_asks(shelf: Shelf) -> None:
    shelf.crowned(0.1)
    assert shelf.check(shelf.put(0.2)) == ()


def test_the_champion_itself_passes_again(shelf: Shelf) -> None:
    assert shelf.check(shelf.crowned(0.1, OVER)) == ()


def test_nobody_by_that_name(shelf: Shelf) -> None:
    with pytest.raises(NoRelease, match="there is no release tiny/000000000000"):
        shelf.check("0" * 12)
    with pytest.raises(ReleaseError, match="is not the version of a release"):
        shelf.check("latest")


@pytest.mark.parametrize("name", [*m.FILES, m.MANIFEST])
def test_a_damaged_release_is_refused(shelf: Shelf, name: str) -> None:
    version = shelf.put(0.1)
    path = shelf.folder / "tiny" / version / name
    path.write_bytes(path.read_bytes() + b" ")
    if name == m.MANIFEST:
        path.write_bytes(b"{}")
    with pytest.raises(ReleaseError):
        shelf.check(version)


REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    ([], "min_auc was not judged; max_calibration_error was not judged; max_parity was not judged"),
    (gates(gate("min_auc", 0.5, 0.6)), "min_auc failed"),
    (gates(gate("min_auc", 0.8, 0.1)), "min_auc asks another limit in the contract"),
    (gates(gate("min_auc", None, 0.6)), "min_auc was not judged"),
    (gates(gate("max_parity", 2e-6, 1e-6, at_least=False)), "max_parity failed"),
    (gates(gate("max_parity", math.nan, 1e-6, at_least=False)), "max_parity failed"),
    (gates(gate("max_fairness_gap", 0.3, 0.2, at_least=False)), "max_fairness_gap failed"),
    (gates({"name": "odd", "value": "much", "limit": 1.0}), "odd failed"),
]


@pytest.mark.parametrize(("told", "says"), REFUSED)
def test_a_hand_made_release_whose_gates_failed_is_refused(shelf: Shelf, told: list[dict[str, Any]], says: str) -> None:
    version = shelf.put(0.1, gates=told)
    with pytest.raises(GateRefused, match=says):
        shelf.check(version)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"gates": [3, null]}', b'{"gates": {}}', b'{"gates": 3}', b"\xff"]
)
def test_metrics_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    files = {**tiny_release(), m.METRICS: content}
    document = json.loads(files[m.MANIFEST])
    document["files"][m.METRICS] = m.digest(content)
    store = FolderReleases(tmp_path)
    store.write("tiny", version_in(files), {**files, m.MANIFEST: json.dumps(document).encode()})
    with pytest.raises(GateRefused, match="min_auc was not judged"):
        check_promotable(store, "tiny", version_in(files), breaking=False)


VALUES = st.none() | st.floats(-1, 1) | st.just(math.nan)


@given(VALUES, VALUES, st.booleans())
def test_a_gate_passes_exactly_when_its_limit_is_kept(value: float | None, limit: float | None, at_least: bool) -> None:
    def judged() -> bool:
        told = {"gates": gates(gate("min_profit_over_nothing", value, limit, at_least=at_least))}
        try:
            check_gates(tiny_contract(), told, "tiny/1")
        except GateRefused:
            return False
        return True

    if value is None or limit is None:
        assert judged()
    else:
        assert judged() is (value >= limit if at_least else value <= limit)


@pytest.mark.parametrize(
    ("text", "says"), [(RETYPED, "retypes the feature 'tenure'"), (RENAMED, "answers another label")]
)
def test_a_contract_that_breaks_callers_needs_a_word(shelf: Shelf, text: str, says: str) -> None:
    shelf.crowned(0.1)
    version = shelf.put(0.2, text)
    with pytest.raises(ReleaseError, match=says) as refused:
        shelf.check(version)
    assert "--breaking promotes it all the same" in str(refused.value)
    (note,) = shelf.check(version, breaking=True)
    assert note.startswith("warning: the former champion cannot serve beside this release")


def test_a_champion_that_is_damaged_stops_nobody(shelf: Shelf) -> None:
    champion = shelf.crowned(0.1, OVER)
    (shelf.folder / "tiny" / champion / m.CARD).write_text("altered")
    (note,) = shelf.check(shelf.put(0.2, OVER))
    assert note.startswith(f"the champion so far, {champion}, could not be compared with")
    (shelf.folder / "tiny" / "champion").write_text("latest")
    assert shelf.check(shelf.put(0.3, OVER)) == ()


def test_who_was_compared_with_this_champion_follows(shelf: Shelf) -> None:
    champion = shelf.crowned(0.1, OVER)
    assert shelf.check(shelf.put(0.2, OVER, **compared(champion))) == ()


def test_who_lost_against_this_champion_does_not(shelf: Shelf) -> None:
    champion = shelf.crowned(0.1, OVER)
    with pytest.raises(GateRefused, match="min_profit_over_champion failed"):
        shelf.check(shelf.put(0.2, OVER, **compared(champion, 0.1)))


def other_data(store: FolderReleases, bias: float, **metrics: Any) -> str:
    """Put a release that was trained on other rows."""
    files = tiny_release(bias, OVER, **metrics)
    document = json.loads(files[m.MANIFEST]) | {"data_sha256": "f" * 64}
    store.write("tiny", version_in(files), {**files, m.MANIFEST: json.dumps(document).encode()})
    return version_in(files)


def test_who_was_compared_with_another_champion_trains_again(shelf: Shelf) -> None:
    champion = shelf.crowned(0.1, OVER)
    version = other_data(shelf.store, 0.2, **compared("0" * 12))
    with pytest.raises(ReleaseError, match=f"was not compared with the champion {champion}; train again"):
        shelf.check(version)


@pytest.mark.parametrize(("profit", "allowed"), [(1.8, True), (1.6, False), (None, False)])
def test_on_the_same_data_the_recorded_profits_are_compared(shelf: Shelf, profit: float | None, allowed: bool) -> None:
    shelf.crowned(0.1, OVER, profit=1.5)
    version = shelf.put(0.2, OVER, profit=profit)
    if allowed:
        assert shelf.check(version) == ()
        return
    with pytest.raises(EbbError, match=r"min_profit_over_champion asks at least 0\.2"):
        shelf.check(version)
