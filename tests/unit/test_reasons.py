"""Reason codes of a case: who gets a share, how large, in which words, and always the same."""

import subprocess
import sys
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.features.inputs import encode
from ebb.onnx import OnnxScorer
from ebb.reasons import Explainer, reason_codes
from ebb.reasons.design import EXACT, PAIRS
from tests.fakes.contracts import tiny_contract
from tests.fakes.games import Game, contract_of, table_game, wave_game
from tests.fakes.releases import tiny_model
from tests.load.exact_reasons import shapley_values

Row = dict[str, float | str]
_CITIES = ("", "Ghent", "Bruges", "Ličartovce", "\ud800")


def _rows() -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "tenure": st.integers(0, 120).map(float),
            "spend": st.one_of(st.just(float("nan")), st.floats(0.5, 500, width=32)),
            "paperless": st.sampled_from([0.0, 1.0]),
            "plan": st.sampled_from(["basic", "plus"]),
            "city": st.sampled_from(_CITIES[:4]),
        }
    )


def _row(n: int, value: float = 1.0) -> Row:
    return {f"n{j}": value for j in range(n)}


@given(_rows(), _rows())
def test_shares_add_up_on_a_real_graph(row: Row, reference: Row) -> None:
    contract, scorer = tiny_contract(), OnnxScorer(tiny_model())
    scores = scorer.score(encode(contract, [row, reference])).astype(float)
    reasons = reason_codes(contract, scorer, row, reference, "r")
    assert sum(r.contribution for r in reasons) == pytest.approx(scores[0] - scores[1], abs=1e-5)
    ours, usual = ({name: repr(value) for name, value in one.items()} for one in (row, reference))
    assert {r.feature for r in reasons} == {name for name in ours if ours[name] != usual[name]}


@given(st.integers(1, EXACT), st.integers(0, 10**6))
def test_few_features_are_exact(n: int, seed: int) -> None:
    game = np.random.default_rng(seed).uniform(size=(2,) * n).astype(np.float32).astype(float)
    reasons = reason_codes(contract_of(n), table_game(game), _row(n), _row(n, -1.0), "r")
    found = {r.feature: r.contribution for r in reasons}
    assert [found[f"n{j}"] for j in range(n)] == pytest.approx(shapley_values(game), abs=1e-9)


@settings(max_examples=25)
@given(st.integers(2, 24), st.integers(0, 10**6))
def test_interchangeable_features_share_alike(n: int, seed: int) -> None:
    effects = np.random.default_rng(seed).normal(size=n)
    effects[1] = effects[0]
    game = Game(lambda numbers, _: (numbers @ effects) / 100 + numbers[:, 0] * numbers[:, 1] * 0.2)
    reasons = reason_codes(contract_of(n), game, _row(n), _row(n, 0.0), str(seed))
    found = {r.feature: r.contribution for r in reasons}
    assert found["n0"] == pytest.approx(found["n1"], abs=1e-5)


@pytest.mark.parametrize("n", [4, EXACT + 1, 20, 40])
def test_a_feature_that_the_graph_ignores_gets_exactly_nothing(n: int) -> None:
    game = Game(lambda numbers, categories: wave_game(n - 1).of(numbers[:, :-1], categories))
    found = {r.feature: r.contribution for r in reason_codes(contract_of(n), game, _row(n), _row(n, 0.0), "r")}
    assert found[f"n{n - 1}"] == 0.0
    assert all(found[f"n{j}"] for j in range(n - 1))


def test_sampled_shares_are_close_to_the_exact_ones() -> None:
    n = 14
    game = wave_game(n)
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * n, indexing="ij"), axis=-1).reshape(-1, n)
    exact = shapley_values(game.of(grid.astype(np.float32), grid).reshape((2,) * n))
    reasons = reason_codes(contract_of(n), game, _row(n), _row(n, 0.0), "r")
    assert {r.feature: r.contribution for r in reasons} == pytest.approx(
        {f"n{j}": exact[j] for j in range(n)}, abs=0.01
    )


@given(_rows(), _rows(), st.randoms(use_true_random=False))
def test_the_order_of_a_row_does_not_matter(row: Row, reference: Row, random: Random) -> None:
    names = list(row)
    random.shuffle(names)
    contract, scorer = tiny_contract(), OnnxScorer(tiny_model())
    shuffled = {name: row[name] for name in names}
    assert reason_codes(contract, scorer, row, reference, "r") == reason_codes(
        contract, scorer, shuffled, reference, "r"
    )


def test_the_case_and_the_release_choose_the_sample() -> None:
    contract, game, row = contract_of(20), wave_game(20), _row(20)
    explainer = Explainer(contract, game, _row(20, 0.0))
    first = explainer.explain(row, "release-1")
    assert explainer.explain(dict(reversed(row.items())), "release-1") == first
    others = [explainer.explain(row, "release-2"), explainer.explain({**row, "n3": 1.5}, "release-1")]
    assert all(other != first for other in others)
    assert sum(r.contribution for r in others[0]) == pytest.approx(sum(r.contribution for r in first), abs=1e-9)


def test_what_the_graph_sees_alike_is_explained_alike() -> None:
    explainer = Explainer(contract_of(20), wave_game(20), _row(20, 1.0))
    row = {**_row(20, 0.5), "n4": 0.0}
    assert explainer.explain(row, "r") == explainer.explain({**row, "n4": -0.0}, "r")
    assert explainer.explain(row, "r") == explainer.explain({**row, "n5": 0.5 + 1e-12}, "r")


_ELSEWHERE = """
from tests.fakes.games import contract_of, wave_game
from ebb.reasons import reason_codes
row = {f"n{j}": 1.0 for j in reversed(range(20))}
reasons = reason_codes(contract_of(20), wave_game(20), row, dict.fromkeys(row, 0.0), "r")
print(repr([(r.feature, r.contribution) for r in reasons]))
"""


@pytest.mark.parametrize("salt", ["0", "4711"])
def test_another_process_gives_the_same_reasons(salt: str) -> None:
    here = reason_codes(contract_of(20), wave_game(20), _row(20), _row(20, 0.0), "r")
    environment = {"PYTHONHASHSEED": salt, "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == repr([(r.feature, r.contribution) for r in here])


def test_the_largest_comes_first_and_ties_go_by_name() -> None:
    game = Game(lambda numbers, _: numbers @ np.array([1.0, -4.0, 1.0, 2.0]))
    reasons = reason_codes(contract_of(4), game, _row(4), _row(4, 0.0), "r")
    assert [(r.feature, round(r.contribution)) for r in reasons] == [("n1", -4), ("n3", 2), ("n0", 1), ("n2", 1)]


def test_missing_is_a_value_like_any_other() -> None:
    game = Game(lambda numbers, categories: np.isnan(numbers[:, 0]) * 0.25 + (categories[:, 0] == "") * 0.5)
    contract = contract_of(1, 1)
    known: Row = {"n0": 3.0, "c0": "x"}
    gone: Row = {"n0": float("nan"), "c0": ""}
    found = {r.feature: r.contribution for r in reason_codes(contract, game, gone, known, "r")}
    assert found == {"n0": 0.25, "c0": 0.5}
    assert reason_codes(contract, game, gone, dict(gone), "r") == ()


@pytest.mark.parametrize(("numbers", "categories"), [(5, 0), (0, 5), (12, 0), (0, 12), (6, 6)])
def test_a_table_may_have_one_kind_of_feature_only(numbers: int, categories: int) -> None:
    game = Game(lambda n, c: 0.01 * ((n > 0).sum(axis=1) + (c == "own").sum(axis=1)))
    own: Row = {**_row(numbers), **{f"c{j}": "own" for j in range(categories)}}
    usual: Row = {**_row(numbers, 0.0), **{f"c{j}": "usual" for j in range(categories)}}
    reasons = reason_codes(contract_of(numbers, categories), game, own, usual, "r")
    assert [r.contribution for r in reasons] == pytest.approx([0.01] * (numbers + categories), abs=1e-6)


@pytest.mark.parametrize(("differing", "rows"), [(1, 2), (4, 16), (EXACT, 2**EXACT), (20, 2 * PAIRS + 2)])
def test_one_run_of_the_graph_and_no_more_rows_than_promised(differing: int, rows: int) -> None:
    game = wave_game(30)
    row = {**_row(30, 0.0), **_row(differing)}
    Explainer(contract_of(30), game, _row(30, 0.0)).explain(row, "r")
    assert len(game.rows) == 1
    assert rows - 6 <= game.rows[0] <= rows


def test_many_features_are_explained_too() -> None:
    n = 200
    effects = np.linspace(-1, 1, n)
    game = Game(lambda numbers, _: numbers @ effects)
    found = {r.feature: r.contribution for r in reason_codes(contract_of(n), game, _row(n), _row(n, 0.0), "r")}
    assert [found[f"n{j}"] for j in range(n)] == pytest.approx(effects, abs=1e-4)


def test_a_city_that_no_text_can_hold_is_still_a_case() -> None:
    row: Row = {"n0": 1.0, "c0": _CITIES[4]}
    game = Game(lambda numbers, _: numbers[:, 0])
    assert len(reason_codes(contract_of(1, 1), game, row, {"n0": 0.0, "c0": "x"}, "r")) == 2
