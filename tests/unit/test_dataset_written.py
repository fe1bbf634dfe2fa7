"""Dates and amounts as tables write them: one number each, the same from every spelling, type and reader."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract.feature import Written
from ebb.errors import ContractError, DataError
from tests.fakes.made_contracts import contract_of
from training.dataset import accept_table, read_dataset
from training.dataset.batch import accept_batch, check_columns
from training.dataset.numbers import Numbers
from training.dataset.stream import open_stream
from training.dataset.written import as_written

EPOCH = date(1970, 1, 1)
SPELLED = {
    Written.YEAR_FIRST: ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00.000Z"),
    Written.DAY_FIRST: ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y 00:00"),
    Written.MONTH_FIRST: ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y 12:00 AM"),
    Written.MONTH_NAMED: ("%d %B %Y", "%b %d, %Y", "%d-%b-%Y", "%a, %d %b %Y 00:00:00 GMT"),
    Written.COMPACT: ("%Y%m%d",),
}


def read(values: object, written: Written, kind: pa.DataType | None = None) -> Numbers:
    return as_written(pa.chunked_array([pa.array(values, kind)]), written)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from([*SPELLED]), st.integers(0, 4))
def test_every_spelling_of_a_day_is_the_same_number(day: date, written: Written, which: int) -> None:
    text = day.strftime(SPELLED[written][which % len(SPELLED[written])])
    values, bad = read([f" {text} "], written)
    assert values.tolist() == [(day - EPOCH).days]
    assert not bad.any()


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - the zone is drawn beside it
    st.sampled_from([0, 60, -300, 330, 845]),
)
def test_moments_keep_their_time_and_zone(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    seconds = moment.timestamp()
    told = [moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S%z"), moment.astimezone(UTC).strftime("%Y/%m/%d %T")]
    spelled, _ = read(told, Written.YEAR_FIRST)
    assert np.allclose(spelled, seconds / 86_400, atol=1e-6)
    assert np.allclose(read([moment], Written.YEAR_FIRST, pa.timestamp("ms", "UTC"))[0], seconds / 86_400)
    assert np.allclose(read([int(seconds)], Written.SECONDS)[0], seconds / 86_400)
    assert np.allclose(read([str(int(seconds) * 1_000)], Written.MILLISECONDS)[0], seconds / 86_400)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (Written.YEAR_FIRST, "2023-02-29"),
        (Written.YEAR_FIRST, "2024-01-01 24:00"),
        (Written.YEAR_FIRST, "31.12.2024"),
        (Written.YEAR_FIRST, "2024-1/1"),
        (Written.DAY_FIRST, "12/13/2024"),
        (Written.MONTH_FIRST, "13/12/2024"),
        (Written.MONTH_NAMED, "5 Janvier 2024"),
        (Written.COMPACT, "20241301"),
        (Written.POINT, "1,23,4"),
        (Written.POINT, "$"),
        (Written.COMMA, "1,234.5"),
        (Written.COMMA, "twelve"),
        (Written.SECONDS, "yesterday"),
    ],
)
def test_what_is_not_written_so_is_named(written: Written, text: str) -> None:
    values, bad = read([text, "n/a"], written)
    assert np.isnan(values).all()
    assert bad.tolist() == [True, False]


def test_two_digit_years_and_typed_dates() -> None:
    assert read(["01/02/70", "01/02/68"], Written.DAY_FIRST)[0].tolist() == [31, (date(2068, 2, 1) - EPOCH).days]
    values, bad = read([date(2024, 1, 31), None], Written.MONTH_NAMED)
    assert values[0] == (date(2024, 1, 31) - EPOCH).days
    assert np.isnan(values[1])
    assert not bad.any()
    assert read([date(2024, 1, 31)], Written.POINT)[1].all()


@given(st.decimals(-10_000_000, 10_000_000, places=2), st.sampled_from(["", "$", "€", "USD "]), st.booleans())
def test_amounts_come_back_from_either_spelling(amount: object, sign: str, percent: bool) -> None:
    text = f"{abs(float(str(amount))):,.2f}"
    minus = "-" if float(str(amount)) < 0 else ""
    behind = " %" if percent and not sign else ""
    point = f"{minus}{sign}{text}{behind}"
    comma = f"{minus}{text.replace(',', ' ').replace('.', ',').replace(' ', '.')}{behind or ' €'}"
    assert read([point], Written.POINT)[0].tolist() == [float(str(amount))]
    assert read([comma], Written.COMMA)[0].tolist() == [float(str(amount))]


def test_every_reader_gives_the_same_numbers(tmp_path: Path) -> None:
    contract = contract_of(
        'name = "day"; kind = "number"; written = "dd/mm/yyyy"; missing = true',
        'name = "price"; kind = "number"; written = "1.234,5"',
    )
    columns = {"day": ["31.12.2024", "", "01.02.2024"], "price": ["1.234", "1.500", "2.000"], "y": ["1", "0", "1"]}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text(
        "day;price;y\n" + "\n".join(";".join(row) for row in zip(*columns.values(), strict=True))
    )
    told = []
    for name in ("t.parquet", "t.csv"):
        told.append(read_dataset(tmp_path / name, contract).inputs.numbers)
        stream = open_stream(tmp_path / name)
        check_columns(contract, stream.schema, name)
        (batch,) = stream.batches(["day", "price"], 100)
        told.append(accept_batch(contract, batch, name, first=0, latest=1e18).numbers)
    assert told[0][:, 1].tolist() == [1234.0, 1500.0, 2000.0]
    assert told[0][0, 0] == (date(2024, 12, 31) - EPOCH).days
    for numbers in told[1:]:
        np.testing.assert_array_equal(numbers, told[0])


def test_a_cell_in_another_spelling_is_refused_by_row() -> None:
    contract = contract_of('name = "day"; kind = "number"; written = "mm/dd/yyyy"')
    table = pa.table({"day": ["12/31/2024", "31/12/2024"], "y": [0, 1]})
    with pytest.raises(DataError, match=r"column 'day' is not written as 'mm/dd/yyyy': row 2, such as '31/12/2024'"):
        accept_table(contract, table, labelled=True, source="t.csv")


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        ('name = "c"; kind = "category"; written = "yyyymmdd"', "`written` is for numbers and integers"),
        ('name = "c"; kind = "number"; written = "backwards"', "written"),
    ],
)
def test_the_contract_refuses_impossible_spellings(feature: str, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        contract_of(feature)


def test_typed_dates_pass_the_check_of_columns() -> None:
    contract = contract_of('name = "day"; kind = "number"; written = "yyyy-mm-dd"')
    check_columns(contract, pa.schema([("day", pa.date32()), ("y", pa.int64())]), "t")
    plain = contract_of('name = "day"; kind = "number"')
    with pytest.raises(DataError, match="holds date32"):
        check_columns(plain, pa.schema([("day", pa.date32()), ("y", pa.int64())]), "t")
