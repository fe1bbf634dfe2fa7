"""`ebb validate` on small files: what it prints, its exit codes, what it writes."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pytest

from local.cli import run
from tests.fakes.made_contracts import contract_text
from tests.unit.validate_case import FEATURES, good, spoiled


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "c.toml"
    path.write_text(contract_text(*FEATURES, entity="id", event_time="at"), encoding="utf-8")
    return path


def written(folder: Path, columns: dict[str, object]) -> Path:
    path = folder / "t.csv"
    pc.write_csv(pa.table(columns), path)
    return path


@pytest.mark.parametrize("engine", ["--rows", "--profile"])
def test_a_good_table_ends_with_zero_and_says_what_is_next(
    tmp_path: Path, contract: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    data = written(tmp_path, good())
    assert run(["validate", str(data), "--contract", str(contract), engine]) == 0
    told = capsys.readouterr().out
    assert f"ebb train --contract {contract} --data {data}" in told
    assert "expectations hold on 2,000 rows" in told


def test_what_is_critical_ends_with_one_and_stands_in_the_docs(
    tmp_path: Path, contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {**spoiled(), "y": good()["y"]}
    data, docs = written(tmp_path, columns), tmp_path / "docs"
    assert run(["validate", str(data), "--contract", str(contract), "--docs", str(docs), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["critical"] is True
    assert {"severity": "critical", "column": "id"} in [
        {"severity": finding["severity"], "column": finding["column"]} for finding in told["findings"]
    ]
    assert [path.name for path in docs.iterdir()] == ["validation.html"]
    assert "may not be: fill or remove these rows" in (docs / "validation.html").read_text(encoding="utf-8")


def test_a_table_of_what_fails_is_printed(tmp_path: Path, contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(written(tmp_path, spoiled())), "--contract", str(contract)]) == 1
    told = capsys.readouterr().out
    for head in ("expectation", "column", "observed", "asked", "verdict", "rows break it", "critical findings"):
        assert head in told


@pytest.mark.parametrize(
    "arguments", [["nowhere.csv", "--contract", "{contract}"], ["{data}", "--contract", "no.toml"]]
)
def test_what_is_not_there_is_a_sentence(
    tmp_path: Path, contract: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    data = written(tmp_path, good())
    assert run(["validate", *(a.format(contract=contract, data=data) for a in arguments)]) == 1
    assert "Traceback" not in capsys.readouterr().err
