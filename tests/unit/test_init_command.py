"""`ebb init` and `ebb synthesize` as typed: output, exit codes, sentences, nothing half-written."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebb.contract import parse_contract
from local.cli import run
from training.dataset import read_dataset
from training.describe import write_contract
from training.synthesize import synthesize


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my customers.csv"
    rows = [f"k{i},{i % 30},{'a' if i % 4 else 'b'},{'Yes' if i % 3 == 0 else 'No'}" for i in range(120)]
    path.write_text("id,Monthly  Bill,plan,Churn\n" + "\n".join(rows) + "\n")
    return path


def test_init_writes_a_contract_that_accepts_the_table(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "My Customers.toml"
    assert run(["init", str(table), "--label", "Churn", "--out", str(out)]) == 0
    contract = parse_contract(out.read_text())
    assert contract.name == "my-customers"
    assert contract.entity_column == "id"
    assert read_dataset(table, contract).rows == 120
    shown = capsys.readouterr().out
    assert "120 rows, 33.3% with Churn = Yes" in shown
    assert "Monthly  Bill" in shown
    assert f"ebb train --contract {out} --data {table}" in shown


def test_init_as_json(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c.toml"
    arguments = [
        "--label",
        "Churn",
        "--out",
        str(out),
        "--positive",
        "No",
        "--entity",
        "id",
        "--name",
        "Mine!",
        "--json",
    ]
    assert run(["init", str(table), *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == parse_contract(out.read_text()).name == "mine"
    assert told["label"] == {"column": "Churn", "positive": "No"}
    assert [feature["name"] for feature in told["features"]] == ["monthly_bill", "plan"]


def test_init_never_replaces_a_reviewed_contract_unless_forced(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c.toml"
    out.write_text("reviewed")
    assert run(["init", str(table), "--label", "Churn", "--out", str(out)]) == 2
    assert "is already there, perhaps reviewed: use --force" in capsys.readouterr().err.replace("\n", " ")
    assert out.read_text() == "reviewed"
    assert run(["init", str(table), "--label", "Churn", "--out", str(out), "--force"]) == 0
    assert out.read_text() != "reviewed"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--label", "churn"], 1, "did you mean 'Churn'"),
        (["--label", "Churn", "--entity", "plan"], 1, "repeats 2 keys"),
        (["--label", "Churn", "--positive", "maybe"], 1, "never holds"),
        (["--label", "Monthly  Bill"], 1, "has 30 values"),
        ([], 2, "--label"),
    ],
)
def test_init_fails_with_a_sentence_and_writes_nothing(
    table: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    out = table.parent / "made" / "c.toml"
    assert run(["init", str(table), "--out", str(out), *arguments]) == code
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told
    assert not out.parent.exists()


def test_init_of_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "none.csv"), "--label", "y", "--out", str(tmp_path / "c.toml")]) == 1
    assert "there is no file" in capsys.readouterr().err


def test_a_contract_that_cannot_be_written(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "c.toml"
    assert run(["init", str(table), "--label", "Churn", "--out", str(table / "below" / "c.toml")]) == 1
    assert "cannot be written" in capsys.readouterr().err

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run(["init", str(table), "--label", "Churn", "--out", str(out)]) == 1
    assert "No space left on device; name another file" in capsys.readouterr().err.replace("\n", " ")
    assert [path.name for path in tmp_path.iterdir()] == [table.name]


def test_writing_a_contract_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "c.toml"
    write_contract(out, "old")

    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_contract(out, "new")
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]


def test_synthesize_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "data"
    assert run(["synthesize", "--rows", "300", "--out", str(out), "--seed", "2"]) == 0
    shown = capsys.readouterr().out
    assert "Synthesized 300 customers" in shown
    assert f"--data {out / 'customers.parquet'}" in shown
    assert run(["synthesize", "--rows", "300", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 300
    assert run(["synthesize", "--rows", "0", "--out", str(out)]) == 2


class Interrupting:
    """Progress whose bar is interrupted after its first chunk, as Ctrl-C would."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        del title, total

        def done(_units: int) -> None:
            raise KeyboardInterrupt

        yield done


def test_an_interrupted_synthesis_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        synthesize(50_000, 0, tmp_path, Interrupting())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["init", "synthesize"])
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"Example:  ebb {command}" in capsys.readouterr().out


def test_what_may_be_known_too_late_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        f"{i % 7},{'price' if i % 3 == 0 else ''},2024-01-{i % 28 + 1:02d},{'Yes' if i % 3 == 0 else 'No'}"
        for i in range(120)
    ]
    path = tmp_path / "t.csv"
    path.write_text("visits,reason,last_login,Churn\n" + "\n".join(rows) + "\n")
    assert run(["init", str(path), "--label", "Churn", "--out", str(tmp_path / "c.toml")]) == 0
    shown = capsys.readouterr().out
    assert "Known only after the outcome? reason: no test can tell" in shown
    assert "Dates left out until you decide: last_login" in shown


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("y\nyes\nno\n", "label and key are all it has"),
        ("a,,,y\n1,2,3,yes\n2,3,4,no\n", "has 2 columns without a name"),
        ("a,y\n1,yes\n2,no\n3,Yes\n", "has 3 values"),
        ("a,y\n1,yes\n2,no\n3,\n", "is missing in row 3"),
    ],
)
def test_tables_that_cannot_be_used_say_why(
    table: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(table)
    assert run(["init", str(path), "--label", "y", "--out", str(tmp_path / "c.toml")]) != 0
    assert says in capsys.readouterr().err
    assert not (tmp_path / "c.toml").exists()
