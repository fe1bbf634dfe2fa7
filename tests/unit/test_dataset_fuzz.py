"""Whatever bytes a file holds, it is a table or one sentence; never a traceback of another kind."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ebb.errors import DataError
from tests.fakes.made_contracts import contract_of
from training.dataset import accept_table, read_table

CONTRACT = contract_of(
    'name = "a"; kind = "number"; missing = true',
    'name = "b"; kind = "category"; missing = true; personal = true',
)
ANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CSV = b"a,b,y\n1,secret one,0\n2.5,secret two,1\n,secret three,0\n"


def parquet() -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"a": [1.0, 2.5, None] * 20, "b": ["secret one", "secret two", None] * 20, "y": [0, 1, 0] * 20})
    pq.write_table(table, buffer)
    return buffer.getvalue()


PARQUET = parquet()


def read_and_accept(path: Path) -> str:
    """Return the sentence of a refusal, or nothing where the table is accepted."""
    try:
        table = read_table(path)
        accept_table(CONTRACT, table, labelled=True, source=str(path))
    except DataError as error:
        return str(error)
    return ""


def test_the_undamaged_files_are_accepted(tmp_path: Path) -> None:
    for name, content in (("t.csv", CSV), ("t.parquet", PARQUET)):
        (tmp_path / name).write_bytes(content)
        assert read_and_accept(tmp_path / name) == ""


@ANY
@given(st.binary(max_size=200))
def test_any_bytes_as_csv(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert len(read_and_accept(path)) > 20


@ANY
@given(st.text(st.sampled_from("a,b;y\t|\n\r\"' 1.é\u2028"), max_size=60))
def test_any_text_of_delimiters_and_quotes_as_csv(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert len(read_and_accept(path)) > 20


@ANY
@given(st.integers(0, len(CSV)), st.integers(0, 20), st.binary(max_size=8))
def test_a_damaged_csv_is_refused_without_personal_values(tmp_path: Path, at: int, lost: int, inserted: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(CSV[:at] + inserted + CSV[at + lost :])
    told = read_and_accept(path)
    # with the header intact it is known which column is personal
    assert at <= CSV.index(b"\n") or "secret" not in told


@ANY
@given(st.integers(0, len(PARQUET) - 1), st.integers(1, 255))
@example(370, 128)  # in the name of a column
def test_a_parquet_with_one_byte_changed(tmp_path: Path, at: int, change: int) -> None:
    content = bytearray(PARQUET)
    content[at] ^= change
    path = tmp_path / "t.parquet"
    path.write_bytes(bytes(content))
    assert "Traceback" not in read_and_accept(path)


@pytest.mark.parametrize("cut", range(0, len(PARQUET), 97))
def test_a_parquet_cut_off_anywhere(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(PARQUET[:cut])
    assert "t.parquet is " in read_and_accept(path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(CSV)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError, match=r"t\.csv cannot be read: Permission denied"):
        read_table(path)
