"""`ebb validate` with each of its options, as typed: exit codes, what is printed, what to run next."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from local.cli import run
from tests.fakes.made_contracts import contract_text
from tests.unit.validate_case import DAY, FEATURES, good

Shown = pytest.CaptureFixture[str]


def contract_in(folder: Path, *features: str, **more: Any) -> Path:
    path = folder / "c.toml"
    path.write_text(contract_text(*features, **more), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give tables the room that they need, so that no sentence is broken over lines."""
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    # without an age that the clock of the machine would be held against
    return contract_in(tmp_path, *(f for f in FEATURES if "max_age" not in f), entity="id", event_time="at")


def table_in(folder: Path, name: str, columns: dict[str, Any]) -> Path:
    path = folder / name
    (pc.write_csv if path.suffix == ".csv" else pq.write_table)(pa.table(columns), path)
    return path


def asked(capsys: Shown, *words: object) -> tuple[int, dict[str, Any]]:
    code = run(["validate", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def found(told: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(f["severity"], f["column"], f["count"]) for f in told["findings"]]


def later(columns: dict[str, Any], days: int) -> dict[str, Any]:
    moments = columns["at"].cast(pa.int64()).to_numpy() + int(days * DAY * 1e6)
    return {**columns, "at": pa.array(moments, pa.timestamp("us"))}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_a_test_of_other_entities_and_later_is_fine(
    tmp_path: Path, contract: Path, capsys: Shown, suffix: str, engine: str
) -> None:
    train = table_in(tmp_path, f"train.{suffix}", good())
    held = later(good(seed=2), 25)
    held["id"] = [f"t{name}" for name in held["id"]]
    test = table_in(tmp_path, f"test.{suffix}", held)
    code, told = asked(capsys, train, "--contract", contract, "--test", test, engine)
    assert (code, found(told), told["engine"]) == (0, [], engine.strip("-"))


@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_a_test_that_overlaps_and_lies_before_is_named(
    tmp_path: Path, contract: Path, capsys: Shown, engine: str
) -> None:
    train = table_in(tmp_path, "train.parquet", good())
    test = table_in(tmp_path, "test.parquet", later(good(seed=2), -30))
    code, told = asked(capsys, train, "--contract", contract, "--test", test, engine)
    assert code == 1
    assert found(told) == [("critical", "id", 2_000), ("critical", "at", 2_000)]
    assert "2,000 of 2,000 rows of the test: split by entity" in told["findings"][0]["reason"]
    assert "runs backwards" in told["findings"][1]["reason"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ({"n": ["x"] * 2_000}, "does not fit the contract 'small'"),
        ({"n": None}, "does not fit the contract 'small'"),
        ({"id": ["e1"] * 2_000, "at": [1.6e9] * 2_000}, "each entity may have one row a moment"),
    ],
)
def test_a_test_that_its_contract_refuses_is_a_sentence(
    tmp_path: Path, contract: Path, capsys: Shown, spoil: dict[str, Any], sentence: str
) -> None:
    train = table_in(tmp_path, "train.parquet", good())
    columns = {name: values for name, values in {**good(), **spoil}.items() if values is not None}
    test = table_in(tmp_path, "test.parquet", columns)
    assert run(["validate", str(train), "--contract", str(contract), "--test", str(test)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "test.parquet" in said
    assert sentence in said


def test_a_test_that_is_not_there_is_a_sentence(tmp_path: Path, contract: Path, capsys: Shown) -> None:
    train = table_in(tmp_path, "train.csv", good())
    assert run(["validate", str(train), "--contract", str(contract), "--test", str(tmp_path / "no.csv")]) == 1
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_outcomes_that_were_known_too_early_are_critical(
    tmp_path: Path, contract: Path, capsys: Shown, suffix: str, engine: str
) -> None:
    columns = good()
    moments = columns["at"].cast(pa.int64()).to_numpy() / 1e6
    left = np.where(np.asarray(columns["y"]) == 1, moments + 3 * DAY, np.nan)
    left[:4] = moments[:4] - DAY
    left[4:10] = moments[4:10] + 31 * DAY
    texts = [None if np.isnan(at) else str(np.datetime64(int(at), "s")) for at in left]
    data = table_in(tmp_path, f"t.{suffix}", {**columns, "left at": texts})
    code, told = asked(capsys, data, "--contract", contract, "--outcome-time", "left at", engine)
    assert (code, found(told)) == (1, [("critical", "left at", 4), ("warning", "left at", 6)])
    assert "is before 'at' in 4 rows: the outcome was known when the features were" in told["findings"][0]["reason"]


def test_an_outcome_time_that_is_not_there_is_a_sentence(tmp_path: Path, contract: Path, capsys: Shown) -> None:
    data = table_in(tmp_path, "t.csv", good())
    assert run(["validate", str(data), "--contract", str(contract), "--outcome-time", "lft"]) == 1
    assert "there is no column 'lft'" in capsys.readouterr().err


def test_an_outcome_time_of_other_words_is_a_sentence(tmp_path: Path, contract: Path, capsys: Shown) -> None:
    data = table_in(tmp_path, "t.csv", {**good(), "left": ["yesterday"] * 2_000})
    assert run(["validate", str(data), "--contract", str(contract), "--outcome-time", "left"]) == 1
    assert "'left' holds 2,000 values that are no moment" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_to_be_scored_is_scored_next(tmp_path: Path, contract: Path, capsys: Shown, suffix: str) -> None:
    columns = {name: values for name, values in good().items() if name != "y"}
    columns["id"] = [f"e{i}" for i in range(2_000)]
    data = table_in(tmp_path, f"t.{suffix}", columns)
    assert run(["validate", str(data), "--contract", str(contract), "--unlabelled"]) == 0
    said = capsys.readouterr().out
    assert f"ebb score --data {data} --out scored.{suffix}" in said
    assert "ebb train" not in said
    assert run(["validate", str(data), "--contract", str(contract)]) == 1, "there is no label to learn from"


def test_after_what_is_critical_the_same_command_comes_again(tmp_path: Path, contract: Path, capsys: Shown) -> None:
    data = table_in(tmp_path, "t.csv", {**good(), "i": [2.5] * 2_000})
    assert run(["validate", str(data), "--contract", str(contract)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"ebb validate {data} --contract {contract} (after the critical findings are mended)" in said
    _, told = asked(capsys, data, "--contract", contract)
    assert any("is no whole number in 2,000 rows: is its kind `number`?" in str(e) for e in told["findings"])


def test_all_prints_what_holds_too(tmp_path: Path, contract: Path, capsys: Shown) -> None:
    data = table_in(tmp_path, "t.csv", good())
    assert run(["validate", str(data), "--contract", str(contract)]) == 0
    short = capsys.readouterr().out
    assert run(["validate", str(data), "--contract", str(contract), "--all"]) == 0
    long = capsys.readouterr().out
    assert "label has two values" not in short
    assert "label has two values" in long
    assert long.count("holds") > 30


def test_json_says_of_each_expectation_what_was_asked_and_observed(
    tmp_path: Path, contract: Path, capsys: Shown
) -> None:
    code, told = asked(capsys, table_in(tmp_path, "t.csv", good()), "--contract", contract)
    assert (code, told["rows"], told["critical"], told["docs"]) == (0, 2_000, False, [])
    by_name = {(e["expectation"], e["column"]): e for e in told["expectations"]}
    assert len(by_name) == len(told["expectations"])
    label = by_name["label has two values", "y"]
    assert (label["observed"], label["minimum"], label["maximum"], label["passed"]) == (2.0, 2, 2, True)
    assert all(e["severity"] in {"critical", "warning"} and e["passed"] for e in told["expectations"])


WRITTEN = (
    'name = "spend"; kind = "number"; written = "1.234,5"; min = 0',
    'name = "since"; kind = "number"; written = "dd/mm/yyyy"; missing = true',
    'name = "x"; kind = "number"',
)


def spelled(rows: int, *, bad: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(4)
    amounts = [f"{value:_.2f}".replace(".", ",").replace("_", ".") for value in random.random(rows) * 5_000]
    days = [
        f"{d:02d}/{m:02d}/2022" for d, m in zip(random.integers(1, 29, rows), random.integers(1, 13, rows), strict=True)
    ]
    days[0] = ""
    amounts[:bad] = ["much"] * bad
    return {"spend": amounts, "since": days, "x": random.random(rows), "y": random.integers(0, 2, rows)}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_numbers_are_read_as_the_contract_says_that_they_are_written(
    tmp_path: Path, capsys: Shown, suffix: str, engine: str
) -> None:
    contract = contract_in(tmp_path, *WRITTEN)
    code, told = asked(capsys, table_in(tmp_path, f"t.{suffix}", spelled(400)), "--contract", contract, engine)
    assert (code, found(told)) == (0, [])
    code, told = asked(capsys, table_in(tmp_path, f"t.{suffix}", spelled(400, bad=3)), "--contract", contract, engine)
    assert (code, found(told)) == (1, [("critical", "spend", 3)])
    assert "holds 3 values that its kind cannot be read from" in told["findings"][0]["reason"]


@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_blanks_around_names_are_no_part_of_them(tmp_path: Path, capsys: Shown, engine: str) -> None:
    contract = contract_in(tmp_path, 'name = "x"; kind = "number"; protected = true', entity="id")
    random = np.random.default_rng(0)
    columns = {" id": [f"e{i}" for i in range(300)], "x ": random.random(300), " y ": random.integers(0, 2, 300)}
    code, told = asked(capsys, table_in(tmp_path, "t.parquet", columns), "--contract", contract, engine)
    assert (code, found(told)) == (0, [])


@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_csv_categories_that_look_like_numbers_keep_their_spelling_as_in_training(
    tmp_path: Path, capsys: Shown, engine: str
) -> None:
    """Typed as numbers, 1.10 and 1.1 would be one category, and neither the contract's."""
    contract = contract_in(tmp_path, 'name = "v"; kind = "category"; categories = ["1.10", "1.1"]; unseen = "refuse"')
    columns = {"v": ["1.10", "1.1"] * 150, "y": np.random.default_rng(0).integers(0, 2, 300)}
    code, told = asked(capsys, table_in(tmp_path, "t.csv", columns), "--contract", contract, engine)
    assert (code, found(told)) == (0, [])


def test_events_have_no_test_and_no_outcomes(tmp_path: Path, capsys: Shown) -> None:
    from tests.home import ROOT  # noqa: PLC0415 - of this one

    contract = ROOT / "training" / "contracts" / "synthetic_events.toml"
    events = {"customer_id": ["a", "b"], "happened_at": pa.array([0, 1], pa.timestamp("us")), "kind": ["x", "y"]}
    data = table_in(tmp_path, "events.parquet", events)
    for option in (["--test", str(data)], ["--outcome-time", "happened_at"]):
        assert run(["validate", str(data), "--contract", str(contract), *option]) == 1
        assert "build the table of features first" in " ".join(capsys.readouterr().err.split())
