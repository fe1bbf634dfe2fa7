"""DuckDB within bounds: two threads, limited memory, queries that show how far they are and end with Ctrl-C."""

import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from ebb.errors import DataError

THREADS = 2
MEMORY = "4GB"
_LOOK_SECONDS = 0.1
_SHARES = 100
_VALUES = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])-?\d[\w.+:-]*""")
_LONGEST_REASON = 300

Advance = Callable[[int], None]
_Result = TypeVar("_Result")


class Engine:
    """One DuckDB connection; its methods raise only sentences.

    Args:
        spill: folder for what does not fit into memory; made by DuckDB when needed.
        memory: limit, as DuckDB writes it.
    """

    def __init__(self, spill: Path, memory: str = MEMORY) -> None:
        self._memory = memory
        self._connection = duckdb.connect(
            config={
                "threads": THREADS,
                "memory_limit": memory,
                "temp_directory": str(spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute("SET enable_progress_bar = true")
        self._connection.execute("SET enable_progress_bar_print = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        # Every query on hundreds of row groups would read again what the files say of themselves.
        self._connection.execute("SET parquet_metadata_cache = true")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="duckdb")

    def run(self, sql: str, about: str, advance: Advance | None = None) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Args:
            sql: in DuckDB's dialect.
            about: what it is for, as the subject of an error's sentence.
            advance: told of hundredths as they are done, 100 in all.

        Raises:
            DataError: DuckDB refuses it.
        """
        return self._told(lambda: self._connection.execute(sql).fetchall(), about, advance)

    def arrow(self, select: str, about: str) -> pa.Table:
        """Run one SELECT and return its rows as an Arrow table.

        Raises:
            DataError: DuckDB refuses it.
        """
        return self._told(lambda: self._connection.sql(select).to_arrow_table(), about)

    def columns(self, select: str, about: str) -> dict[str, str]:
        """Return the columns that a SELECT yields with their types, without running it.

        Raises:
            DataError: DuckDB refuses it.
        """
        return {str(row[0]): str(row[1]) for row in self.run(f"DESCRIBE {select}", about)}

    def close(self) -> None:
        """Let go of memory, thread and files."""
        self._worker.shutdown()
        self._connection.close()

    def _told(self, call: Callable[[], _Result], about: str, advance: Advance | None = None) -> _Result:
        """Call DuckDB beside this thread, which hears Ctrl-C and tells how far it is."""
        future = self._worker.submit(call)
        told = 0
        try:
            while not wait([future], _LOOK_SECONDS).done:
                share = min(int(self._connection.query_progress()), _SHARES)
                if advance is not None and share > told:
                    advance(share - told)
                    told = share
        except BaseException:
            self._connection.interrupt()
            wait([future])
            raise
        try:
            result = future.result()
        except duckdb.Error as error:
            raise DataError(f"{about}: {self._reason(error)}") from None
        if advance is not None:
            advance(_SHARES - told)
        return result

    def _reason(self, error: duckdb.Error) -> str:
        """Return DuckDB's reason on one line; where it is about a value, without the value, which may be personal."""
        if isinstance(error, duckdb.OutOfMemoryException):
            return f"it needs more than {self._memory} of memory and the free disk: build fewer snapshots at once"
        reason = str(error).split("\n\n")[0].splitlines()[0]
        if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException | duckdb.InvalidInputException):
            reason = _VALUES.sub("...", reason)
        return reason[:_LONGEST_REASON]


@contextmanager
def open_engine(spill: Path, memory: str = MEMORY) -> Iterator[Engine]:
    """Open an engine, and remove what it spilled when it is done."""
    engine = Engine(spill, memory)
    try:
        yield engine
    finally:
        engine.close()
        shutil.rmtree(spill, ignore_errors=True)
