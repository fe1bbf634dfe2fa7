"""Tables and contracts that attack: what is written parses, the terminal obeys nothing, an error is one sentence."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ebb.contract import Contract, parse_contract
from ebb.errors import ContractError
from local.cli import run
from local.serving.release import find_release
from local.serving.routing import put_in_force
from tests.fakes.contracts import TEXT
from tests.fakes.releases import tiny_release, version_in
from training.dataset import read_dataset

HOSTILE = (
    "[bold]x[/bold]",
    "[/nope]",
    'a"b',
    "c'd",
    "e\nf",
    "g]h[",
    "é😀",
    "#hash",
    "k = 1\n[evil]\nz = 2",
    '"""',
    "'''",
    "\\",
    "\\u0000",
    "=cmd|' /C calc'!A0",
    "\x1b[31mred\x07",
    "\x7f\u202e",
    "{{ x }}",
    "<script>",
    "__class__",
    "label",
)


def table(folder: Path, columns: Sequence[str], cells: Sequence[str] | None = None, label: str = "left") -> Path:
    """Write 120 rows of numbers, or of these cells in turn, with a label."""
    numbers = random.Random(0)  # noqa: S311 - a table, not a secret
    path = folder / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, label])
        for row in range(120):
            own = [cells[row % len(cells)] if cells else numbers.random() for _ in columns]
            writer.writerow([*own, "yes" if numbers.random() < 0.4 else "no"])
    return path


def init(path: Path, label: str = "left") -> Contract:
    """Describe a table; the contract must accept the table it came from."""
    out = path.with_suffix(".toml")
    assert run(["init", str(path), "--label", label, "--out", str(out)]) == 0
    contract = parse_contract(out.read_text(encoding="utf-8"))
    assert read_dataset(path, contract).rows == 120
    return contract


def test_hostile_names_stay_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = init(table(tmp_path, HOSTILE))
    assert [feature.column for feature in contract.features] == list(HOSTILE)
    assert len({feature.name for feature in contract.features}) == len(HOSTILE)
    shown = capsys.readouterr().out
    assert "[bold]x[/bold]" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown


def test_hostile_cells_stay_cells(tmp_path: Path) -> None:
    (feature,) = init(table(tmp_path, ["cell"], cells=HOSTILE)).features
    assert set(feature.categories) <= set(HOSTILE)


@pytest.mark.parametrize("label", HOSTILE[:10])
def test_a_hostile_label_stays_a_label(tmp_path: Path, label: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(table(tmp_path, ["a"], label=label), label).label.column == label
    assert run(["init", str(tmp_path / "table.csv"), "--label", label + "?", "--out", str(tmp_path / "no.toml")]) == 1
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    assert not (tmp_path / "no.toml").exists()


def test_many_columns_are_described_in_time(tmp_path: Path) -> None:
    assert len(init(table(tmp_path, [f"c{number}" for number in range(500)])).features) == 500


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_marks_and_line_ends_change_nothing(tmp_path: Path, start: bytes, end: bytes) -> None:
    path = table(tmp_path, ["a", "b"])
    path.write_bytes(start + path.read_bytes().replace(b"\r\n", end))
    assert [feature.column for feature in init(path).features] == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        b'a,b,left\n"1,3,yes\n' + b"1,2,no\n" * 50,
        b"a,b,left\n1,2,yes\n1,2,3,no\n" * 50,
        b"a,b,left\n\x00,2,no\n" * 50,
        b"\xff\xfea\x00",
        b"a,a,left\n1,2,yes\n1,2,no\n",
        b"PAR1" + b"\x00" * 100 + b"PAR1",
        b"left\nyes\nno\n",
        b"\n\n\n",
        b"a,b,left" * 100_000,
    ],
)
def test_a_table_that_is_none_is_one_sentence(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert run(["init", str(path), "--label", "left", "--out", str(tmp_path / "c.toml")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("ebb: ")
    assert "Traceback" not in told
    assert len(told) < 1_000
    assert not (tmp_path / "c.toml").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "[" * 5_000,
        "a = " + "[" * 5_000,
        "a" + ".a" * 5_000 + " = 1",
        "name = 1",
        'name = "../x"',
        'name = "tiny"\n[[features]]\nname = "a; drop table"',
        'name = "x"\nname = "y"',
        "[features]\n",
        "features = 1",
        "[[features]]\n" * 3,
        "x = 1e400",
        "x = " + "9" * 5_000,
        "[label]\n[label]\n",
        "\ufeffname = 'x'",
        TEXT.replace("min = 0", "min = -1" + "0" * 400),
        TEXT.replace("max = 120", "max = 1e400"),
        TEXT.replace("max = 120", "max = nan"),
        TEXT.replace("min = 0", "min = true"),
        TEXT.replace("window_days = 30", "window_days = 1" + "0" * 400),
        TEXT.replace('"30d"', '"' + "9" * 400 + 'd"'),
        TEXT.replace('"30d"', '"' + "9" * 5_000 + 'd"'),
        TEXT.replace('"30d"', '"1e400d"'),
        TEXT.replace("default = false", "default = 1" + "0" * 400),
        TEXT.replace("default = false", "default = 1979-05-27"),
        TEXT.replace("action_cost = 10", "action_cost = inf"),
    ],
)
def test_a_contract_that_is_none_is_one_error(text: str) -> None:
    with pytest.raises(ContractError) as raised:
        parse_contract(text)
    assert len(str(raised.value)) < 1_000


def test_releases_that_were_moved_are_found_again(tmp_path: Path) -> None:
    from ebb.folder import FolderReleases  # noqa: PLC0415

    state, files = tmp_path / "state", tiny_release(bias=1.0)
    version = version_in(files)
    for root in (tmp_path / "first", tmp_path / "second"):
        FolderReleases(root).write("tiny", version, files)
        served = find_release(root / "tiny" / version)
        table = put_in_force(served, state)
        assert table is not None
        assert (table.version, table.champion, served.releases) == (1, version, root)
        (root / "tiny" / version).rename(root / "tiny" / "gone")
