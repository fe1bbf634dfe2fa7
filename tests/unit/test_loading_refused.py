"""The file of refused rows: resumed without doubles, scrubbed of erased subjects, never torn."""

import csv
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import DataError, Misuse, Unavailable
from local.loading.load_id import load_id, written_at
from local.loading.refused import RefusedFile, scrub, written_since

HEAD = ["row", "entity_id", "feature", "reason"]


def lines(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_lines_stand_in_order_below_one_head(tmp_path: Path) -> None:
    file = RefusedFile(tmp_path / "loads", "abc")
    file.begin(0)
    assert not file.path.exists()
    file.add([(3, "e,3", "age", 'is "odd"')])
    file.add([])
    file.add([(9, "é\n9", "age", "is missing"), (9, "é\n9", "plan", "is missing")])
    assert lines(file.path) == [
        HEAD,
        ["3", "e,3", "age", 'is "odd"'],
        ["9", "é\n9", "age", "is missing"],
        ["9", "é\n9", "plan", "is missing"],
    ]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 60), max_size=20, unique=True), st.integers(1, 60), st.integers(0, 80))
def test_a_load_that_was_killed_anywhere_goes_on_without_doubles(
    tmp_path: Path, refused: list[int], done: int, torn: int
) -> None:
    """Lines of a batch that never counted are there, the last of them torn."""
    every = [(row, f"e{row}", "age", "is missing") for row in sorted(refused)]
    file = RefusedFile(tmp_path / "loads", "abc")
    file.begin(0)
    file.add(every)
    counted = [line for line in every if line[0] <= done]
    if len(every) > len(counted):
        content = file.path.read_bytes()
        after = len(content) - len(b"".join(f"{r},{e},{f},{w}\n".encode() for r, e, f, w in every[len(counted) :]))
        file.path.write_bytes(content[: max(after, len(content) - torn)])
    again = RefusedFile(tmp_path / "loads", "abc")
    again.begin(done)
    again.add([line for line in every if line[0] > done])
    if every:
        assert lines(again.path) == [HEAD, *([str(cell) for cell in line] for line in every)]


def test_a_new_start_keeps_nothing(tmp_path: Path) -> None:
    file = RefusedFile(tmp_path, "abc")
    file.add([(1, "e1", "age", "is missing")])
    file.begin(0)
    assert not file.path.exists()


def test_a_load_that_goes_on_elsewhere_takes_its_lines_along(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "loads", tmp_path / "mine.csv"
    first, second = RefusedFile(folder, "abc"), RefusedFile(folder, "abc", elsewhere)
    first.begin(0)
    first.add([(1, "e1", "age", "is missing"), (5, "e5", "age", "is missing")])
    second.begin(4)
    second.add([(5, "e5", "age", "is missing")])
    assert [line[0] for line in lines(elsewhere)] == ["row", "1", "5"]
    assert scrub(folder, {"e1"}) == 2
    assert [line[0] for line in lines(elsewhere)] == ["row", "5"]


def test_a_file_of_something_else_is_never_touched(tmp_path: Path) -> None:
    table = tmp_path / "customers.csv"
    table.write_text("customer_id,age\nC1,3\n")
    with pytest.raises(Misuse, match=r"customers\.csv is there already, and holds no refused rows"):
        RefusedFile(tmp_path / "loads", "abc", table).begin(0)
    assert table.read_text() == "customer_id,age\nC1,3\n"


def test_an_erased_subject_leaves_the_files_of_all_loads(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "loads", tmp_path / "mine.csv"
    first, second = RefusedFile(folder, "abc"), RefusedFile(folder, "def", elsewhere)
    for file in (first, second):
        file.begin(0)
        file.add([(1, "e1", "age", "is missing"), (2, "e2", "age", "is missing"), (3, "", "id", "is missing")])
    assert scrub(folder, {"e1", "e7"}) == 2
    for file in (first, second):
        assert lines(file.path)[1:] == [["2", "e2", "age", "is missing"], ["3", "", "id", "is missing"]]
    second.add([(4, "e4", "age", "is missing")])
    assert lines(elsewhere)[-1][0] == "4"
    assert scrub(folder, {"e1"}) == 0
    assert scrub(folder, set()) == 0
    assert scrub(tmp_path / "none", {"e1"}) == 0


def test_the_files_of_a_moment_are_found_wherever_they_are(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "loads", tmp_path / "mine.csv"
    assert written_since(folder, 0.0) == []
    RefusedFile(folder, "abc").add([(1, "e1", "age", "is missing")])
    RefusedFile(folder, "def", elsewhere).add([(1, "e1", "age", "is missing")])
    os.utime(folder / "abc.refused.csv", (1_000, 1_000))
    assert written_since(folder, 2_000.0) == [elsewhere]
    assert len(written_since(folder, 1_000.0)) == 2


def _add_many(folder: Path) -> None:
    file = RefusedFile(folder, "abc")
    for row in range(1, 201):
        file.add([(row, f"e{row}", "age", "is missing")])


def test_an_erasure_while_a_load_writes_loses_no_line(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_add_many, args=(tmp_path,))
    writer.start()
    while writer.is_alive():
        scrub(tmp_path, {"e50"})
    writer.join()
    scrub(tmp_path, {"e50"})
    found = [line[0] for line in lines(RefusedFile(tmp_path, "abc").path)[1:]]
    assert found == [str(row) for row in range(1, 201) if row != 50]


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    file = RefusedFile(tmp_path / "loads", "abc", tmp_path / "no" / "such" / "mine.csv")
    with pytest.raises(Unavailable, match=r"mine\.csv cannot be written"):
        file.add([(1, "e1", "age", "is missing")])


def test_a_load_is_known_by_its_files_and_its_contract(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")
    first = load_id(table, b"contract")
    assert first == load_id(table, b"contract")
    assert first != load_id(table, b"another")
    assert len(first) == 16
    assert written_at(table) == pytest.approx(table.stat().st_mtime)
    table.write_text("a\n12\n")
    assert load_id(table, b"contract") != first
    with pytest.raises(DataError, match="cannot be read"):
        load_id(tmp_path / "none.csv", b"contract")


def test_a_folder_is_known_by_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(b"1")
    first = load_id(folder, b"c")
    (folder / "b.parquet").write_bytes(b"2")
    assert load_id(folder, b"c") != first
