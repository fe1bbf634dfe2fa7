"""`ebb build` as it is typed: what it prints, what comes next, and its mistakes in one sentence."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from ebb.errors import DataError, Misuse
from local.cli import app
from tests.fakes.shop import write_events, write_shop
from tests.unit.test_events_build import EVENTS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_shop(tmp_path)
    write_events(tmp_path / "events.parquet", EVENTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _ebb(*arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["build", "--contract", "shop.toml", "--events", "events.parquet", "--out", "t.parquet", *arguments]
    )


def test_a_labelled_table_is_for_training(folder: Path) -> None:
    done = _ebb("--at", "2024-03-10", "--labelled")
    assert done.exit_code == 0, done.output
    assert "ebb train --contract shop.toml --data t.parquet" in done.output
    assert "1 of 8 events name no entity" in done.output
    assert pq.read_table(folder / "t.parquet").num_rows == 2


def test_a_single_latest_snapshot_is_for_serving(folder: Path) -> None:
    done = _ebb("--at", "2024-04-10")
    assert "ebb up --release releases/shop --data t.parquet --detach" in done.output
    assert pq.read_table(folder / "t.parquet").num_rows == 4


@pytest.mark.usefixtures("folder")
def test_json_is_one_document_and_nothing_else() -> None:
    done = _ebb("--every", "5d", "--from", "2024-03-10", "--until", "2024-03-20", "--labelled", "--json")
    told = json.loads(done.stdout)
    assert told["snapshots"] == {
        "2024-03-10T00:00:00+00:00": 2,
        "2024-03-15T00:00:00+00:00": 3,
        "2024-03-20T00:00:00+00:00": 3,
    }
    assert (told["rows"], told["events"], told["table"]) == (8, 7, "t.parquet")
    assert set(told["seconds"]) == {"read", "build"}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((), Misuse, "name the snapshots"),
        (("--at", "2024-03-10", "--out", "t.csv"), Misuse, "must end in .parquet"),
        (("--at", "2024-04-10", "--labelled"), DataError, "the latest mature one is 2024-03-30"),
        (("--at", "2024-03-10", "--events", "none"), DataError, "there is no file or folder none"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[str, ...], error: type[Exception], says: str) -> None:
    done = _ebb(*arguments)
    assert isinstance(done.exception, error)
    assert says in str(done.exception)
