"""A table of parquet as a profile can read it: names without blanks, and numbers that are spelled as numbers.

A contract may say that a column holds dates, or amounts with a decimal comma (`written`). SQL knows nothing of it, so
such a table is read and written once more, some rows at a time.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ebb.contract import Contract, Feature
from ebb.contract.feature import Written
from training.dataset.parquet_file import parquet_schema
from training.dataset.written import as_written
from training.validation.sample import tables_of

_UNREADABLE = "not readable"


def is_plain(contract: Contract, path: Path) -> bool:
    """Tell whether a parquet file, or a folder of them, can be profiled as it is."""
    names = parquet_schema(path)[0].names
    written = _written(contract)
    return not any(name != name.strip() or name.strip() in written for name in names)


def write_plain(contract: Contract, path: Path, columns: list[str], target: Path) -> None:
    """Write some columns of a parquet file, or of a folder of them, as one file that can be profiled.

    What cannot be read as the contract says stays unreadable.

    Args:
        contract: says how columns are written.
        path: what is read.
        columns: which, by their names without blanks.
        target: the file.
    """
    written = _written(contract)
    types = {field.name.strip(): field.type for field in parquet_schema(path)[0]}
    wanted = [name for name in types if name in columns]
    schema = pa.schema([(name, pa.string() if name in written else types[name]) for name in wanted])
    with pq.ParquetWriter(target, schema) as writer:
        for table in tables_of(path, wanted):
            parts = [
                _plain(written[name], table[name]) if name in written else table[name].cast(schema.field(name).type)
                for name in wanted
            ]
            writer.write_table(pa.table(parts, schema))


def _written(contract: Contract) -> dict[str, Feature]:
    return {f.column: f for f in contract.numbers if f.written is not Written.PLAIN}


def _plain(feature: Feature, column: pa.ChunkedArray) -> pa.Array:
    values, unreadable = as_written(column, feature.written)
    texts = pa.array(values, from_pandas=True).cast(pa.string())
    return pc.if_else(pa.array(unreadable), pa.scalar(_UNREADABLE), texts)
