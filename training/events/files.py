"""Where events lie: one parquet or csv file, or a folder of either."""

from pathlib import Path

from ebb.errors import DataError
from training.dataset.parquet_file import is_parquet

_CSV = (".csv", ".tsv", ".txt")


def find_files(path: Path) -> tuple[list[Path], bool]:
    """Return the files in the order of their paths, and whether they are parquet (else csv).

    Raises:
        DataError: there is nothing, or a folder holds neither or both.
    """
    if not path.exists():
        raise DataError(f"there is no file or folder {path}: check the path")
    if path.is_file():
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty: it should be a parquet or csv file of events")
        return [path], is_parquet(path)
    files = sorted(f for f in path.rglob("*") if f.is_file() and not f.name.startswith((".", "_")))
    parquet = [f for f in files if f.suffix.lower() in {".parquet", ".pq"}]
    csv = [f for f in files if f.suffix.lower() in _CSV]
    if parquet and csv:
        raise DataError(f"the folder {path} holds both parquet and csv files: keep the parts of one table in it")
    if not parquet and not csv:
        raise DataError(f"the folder {path} holds no .parquet and no .csv file: name where the events are")
    return parquet or csv, bool(parquet)
