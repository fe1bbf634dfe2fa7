"""What may be asked of `ebb synthesize`, and the one sentence for what may not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from local.cli import run
from training.synthesize import Options, parse_drift, parse_size
from training.synthesize.options import Drift


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("1.5 gb", 1_500_000_000), ("500MB", 500_000_000), ("2TB", 2 * 10**12), ("1000000B", 10**6)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["0", "-1", "5 cows", "", "GB", "5", "1e9B", "nan GB", "5GiB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(Misuse, match=r'--size .*: must be a number of bytes with its unit, such as "500MB" or "5GB"'):
        parse_size(text)


@pytest.mark.parametrize("text", ["0GB", "999999B", "11TB"])
def test_sizes_out_of_range(text: str) -> None:
    with pytest.raises(Misuse, match="must be between 1MB and 10TB"):
        parse_size(text)


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert 10**6 <= parse_size(text) <= 10**13
    except Misuse as error:
        assert str(error).startswith("--size")


@given(st.text(max_size=8))
def test_any_text_is_a_drift_or_refused(text: str) -> None:
    try:
        assert 0 < parse_drift(text).strength <= 5
    except Misuse as error:
        assert str(error).startswith("--drift")


def test_drifts() -> None:
    assert parse_drift("13") == Drift(13, 1.0)
    assert parse_drift("13:0.5") == Drift(13, 0.5)
    for text in ("13:", ":1", "-2", "13:6", "13:0", "x"):
        with pytest.raises(Misuse, match="--drift"):
            parse_drift(text)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"customers": 0}, "--customers 0: must be between 1 and 99,999,999"),
        ({"months": 0}, "--months 0: must be between 3 and 120"),
        ({"months": 121}, "--months 121: must be between 3 and 120"),
        ({"seed": -1}, "--seed -1: must be 0 or more"),
        ({"drift": Drift(7)}, "--drift 7: must be a month from 2 to 6, the last one"),
        ({"drift": Drift(1)}, "--drift 1: must be a month from 2 to 6, the last one"),
    ],
)
def test_options_out_of_range(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(Misuse) as refused:
        Options(**{"customers": 10, "months": 6, "seed": 0, **options})  # type: ignore[arg-type]
    assert str(refused.value) == sentence


def test_drift_holds_from_its_month_on() -> None:
    options = Options(10, 6, 0, Drift(3, 0.5))
    assert [options.drifted(month) for month in range(6)] == [0, 0, 0.5, 0.5, 0.5, 0.5]
    assert Options(10, 6, 0).drifted(5) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "say how much by one of --rows (a table), --size or --customers (events)"),
        (["--rows", "10", "--customers", "10"], "say how much by one of --rows"),
        (["--rows", "10", "--months", "12"], "--months is for events: use it with --size or --customers"),
        (["--rows", "10", "--drift", "2"], "--drift is for events"),
        (["--rows", "10", "--workers", "2"], "--workers is for events"),
        (["--size", "5 cows"], "--size '5 cows': must be a number of bytes with its unit"),
        (["--customers", "0"], "--customers 0: must be"),
        (["--customers", "9", "--months", "0"], "--months 0: must be"),
        (["--customers", "9", "--drift", "25"], "--drift 25: must be"),
        (["--customers", "9", "--workers", "0"], "--workers 0: must be"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert run(["synthesize", *arguments, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    out = tmp_path / "out"
    arguments = ["synthesize", "--customers", "200", "--months", "4", "--drift", "3", "--out", str(out)]
    assert run(arguments) == 0
    told = capsys.readouterr().out
    assert "Synthesized 200 customers of 4 months" in told
    command = next(line.strip() for line in told.splitlines() if line.strip().startswith("ebb build"))
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["shards_made"] == 0
    assert facts["bytes"] == sum(file.stat().st_size for file in out.rglob("*.parquet"))
    assert run(command.split()[1:]) == 0
    assert "ebb train --contract training/contracts/synthetic_events.toml" in capsys.readouterr().out


def test_the_command_reaches_a_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--size", "2MB", "--months", "6", "--workers", "1", "--json", "--out", str(tmp_path / "out")]
    assert run(["synthesize", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == pytest.approx(2_000_000, rel=0.05)
