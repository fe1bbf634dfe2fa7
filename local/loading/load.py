"""A table into Postgres and Valkey, batch by batch: what `ebb load` and `ebb up --data` run."""

from dataclasses import dataclass
from pathlib import Path

from ebb.contract import Contract
from ebb.errors import DataError, Unavailable
from ebb.postgres.bulk import PostgresBulk
from ebb.postgres.features import PostgresFeatures
from ebb.valkey.features import ValkeyFeatures
from local.loading.cells import layout
from local.loading.database import connect, prepare_database
from local.loading.load_id import load_id
from local.loading.preparing import Preparing
from local.loading.refused import RefusedFile
from local.loading.road import Road
from local.supervisor.servers import Servers
from training.dataset.batch import check_columns, needed_columns
from training.dataset.stream import count_rows, open_stream
from training.progress import Progress

_VALKEY_SECONDS = 1.0


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Attributes:
        load: its id.
        rows: of the table.
        resumed_from: rows that an earlier run had done already.
        refused: rows that the contract refused, those of earlier runs among them.
        erased: rows of this run that changed nothing, since their subjects were erased later.
        unrepaired: batches that Valkey did not take; their notes stay until a repair.
        refused_file: where the refused rows stand; None where there are none.
        notes: sentences worth saying to people.
    """

    load: str
    rows: int
    resumed_from: int
    refused: int
    erased: int
    unrepaired: int
    refused_file: Path | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """What is to be loaded.

    Attributes:
        data: a csv or parquet file, or a folder of parquet.
        contract: what its rows must fit; names the database.
        loads: the folder of the files of refused rows.
        refused: the file of refused rows; None for one in `loads`.
    """

    data: Path
    contract: Contract
    loads: Path
    refused: Path | None = None


def load_table(table: Table, servers: Servers, progress: Progress) -> Loaded:
    """Load every row that the contract accepts, true since its event time or since the table was written.

    A load that did not end goes on where it stopped; one that did starts again and changes nothing.

    Raises:
        DataError: the table does not fit the contract (nothing was loaded), or every row was refused.
        Misuse: another process is loading the same table.
        Unavailable: Postgres does not answer; the same command again goes on.
    """
    contract, source = table.contract, str(table.data)
    stream = open_stream(table.data)
    notes = check_columns(contract, stream.schema, source)
    rows = count_rows(stream, needed_columns(contract))
    load = load_id(table.data, repr(contract).encode())
    prepare_database(servers, contract.name)
    bulk = PostgresBulk(connect(servers, contract.name), contract.history_keep)
    try:
        begun = bulk.begin(load, table.data.name, contract.name)
        refused = RefusedFile(table.loads, load, table.refused)
        refused.begin(begun.rows_done)
        preparing = Preparing(stream, contract, begun, bulk.layout(layout(contract)))
        with _road(load, bulk, refused, servers, contract) as road, progress.step("Load features", rows) as done:
            done(begun.rows_done)
            for prepared in preparing.batches():
                done(road.send(prepared))
            done(road.drain())
        bulk.finish(load)
    except Unavailable as error:
        raise Unavailable(f"{error}; what was loaded stays, and the same command again goes on after it") from None
    finally:
        bulk.close()
    file = refused.path if preparing.refused else None
    loaded = Loaded(load, rows, begun.rows_done, preparing.refused, road.erased, road.unrepaired, file, tuple(notes))
    return _some_accepted(loaded, source)


def _road(load: str, bulk: PostgresBulk, refused: RefusedFile, servers: Servers, contract: Contract) -> Road:
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=_VALKEY_SECONDS, ttl=contract.ttl)
    return Road(load, bulk, fast, PostgresFeatures(connect(servers, contract.name)), refused)


def _some_accepted(loaded: Loaded, source: str) -> Loaded:
    if loaded.refused == loaded.rows:
        raise DataError(
            f"{source}: every one of its {loaded.rows:,} rows was refused, and nothing was loaded; "
            f"see the reasons in {loaded.refused_file}"
        )
    return loaded
