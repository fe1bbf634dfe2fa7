"""A table into a stage: batches of 1,000 through its API, several at once, from where an earlier run stopped.

The position advances in the order of the table, so that what counts as done is done; a batch that was written and not
yet counted comes again under the same idempotency key, and changes nothing.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from ebb.client import Client, Policy
from ebb.errors import DataError, Unavailable
from local.calling.caller import Caller
from local.calling.entrance import LOAD
from local.calling.sentences import Refused
from local.loading.accepting import Accepted, Accepting
from local.loading.items import MOST_ITEMS, items_of
from local.loading.load import Loaded, Table
from local.loading.load_id import load_id
from local.loading.parcels import Sent, send
from local.loading.position import Position
from local.loading.refused import RefusedFile
from training.dataset.batch import check_columns, needed_columns
from training.dataset.stream import count_rows, open_stream
from training.progress import Progress

AT_ONCE = 4
"""Batches on their way; one takes about as long to be made here as a fourth to be written there."""

PATIENT = Policy(
    deadline=120.0,
    try_timeout=30.0,
    connect_timeout=5.0,
    retries=1_000,
    retry_share=1.0,
    retry_burst=1_000.0,
    backoff=0.2,
    backoff_cap=5.0,
    hedging=False,
    connections=AT_ONCE,
)
"""Of one batch: a stage that says when to ask again is asked then, and one that is away for a moment is waited for."""


def load_over_https(table: Table, caller: Caller, progress: Progress, policy: Policy = PATIENT) -> Loaded:
    """Load every row that the contract accepts, true since its event time or since the table was written.

    A load that did not end goes on where it stopped; one that did starts again and changes nothing.

    Args:
        table: what is loaded, by which contract; its `loads` is also where the position stands.
        caller: writes; see `local.calling.caller_of`.
        progress: told of the rows.
        policy: how patient each batch is.

    Returns:
        As of a load here; `unrepaired` is 0, since a stage repairs its fast tier itself.

    Raises:
        DataError: the table does not fit the contract (nothing was loaded), every row was refused, or the contract
            that is served there is another one.
        Misuse: another process is loading the same table there.
        Refused, Unavailable: the stage refused, or did not answer; the same command again goes on.
    """
    contract, source = table.contract, str(table.data)
    stream = open_stream(table.data)
    notes = check_columns(contract, stream.schema, source)
    rows = count_rows(stream, needed_columns(contract))
    load = load_id(table.data, f"{caller.entrance.told}\0{contract!r}".encode())
    with Position(table.loads, load) as position:
        begun = position.read()
        refused = RefusedFile(table.loads, load, table.refused)
        refused.begin(begun.rows_done)
        way = Way(load, position, refused)
        accepting = Accepting(stream, contract, begun, MOST_ITEMS)
        try:
            with caller.client(LOAD, policy) as client, progress.step("Load features", rows) as done:
                done(begun.rows_done)
                way.walk(client, accepting, table, done)
        except (Refused, Unavailable) as error:
            raise _resumable(error) from None
        position.finish()
    count = accepting.refused + way.refused
    if count == rows:
        raise DataError(f"{source}: every one of its {rows:,} rows was refused; see the reasons in {refused.path}")
    file = refused.path if count else None
    return Loaded(load, rows, begun.rows_done, count, way.erased, 0, file, tuple(notes))


def _resumable(error: Refused | Unavailable) -> Refused | Unavailable:
    told = f"{error}; what was loaded stays, and the same command again goes on after it"
    return Refused(told, error.status, error.problem) if isinstance(error, Refused) else Unavailable(told)


@dataclass(frozen=True)
class _Batch:
    """A batch on its way."""

    accepted: Accepted
    entities: frozenset[str]
    sent: Future[Sent]


class Way:
    """Takes the batches of one load to a stage, and counts them in the order of the table.

    Args:
        load: its id.
        position: is advanced.
        refused: takes the lines about refused rows.

    Attributes:
        erased: rows that changed nothing, since their subjects were erased later.
        refused: rows of this run that the stage alone refused.
    """

    def __init__(self, load: str, position: Position, refused: RefusedFile) -> None:
        self._load, self._position, self._file = load, position, refused
        self._under_way: deque[_Batch] = deque()
        self.erased = self.refused = 0

    def walk(self, client: Client, accepting: Accepting, table: Table, done: Callable[[int], None]) -> None:
        """Send every batch, and wait until the last one is counted.

        Raises:
            CallFailed: one cannot be written; those before it are counted.
            DataError, Unavailable: see `send` and `RefusedFile`.
        """
        senders = ThreadPoolExecutor(AT_ONCE)
        try:
            for accepted in accepting.batches():
                items = items_of(table.contract, accepted)
                entities = frozenset(item.entity_id for item in items)
                # Of two rows about the same entity the later one must arrive later.
                while len(self._under_way) == AT_ONCE or any(entities & each.entities for each in self._under_way):
                    done(self._counted())
                sent = senders.submit(send, client, self._load, items)
                self._under_way.append(_Batch(accepted, entities, sent))
            while self._under_way:
                done(self._counted())
        finally:
            senders.shutdown(wait=False, cancel_futures=True)

    def _counted(self) -> int:
        """Wait for the oldest batch, count it, and return its rows."""
        batch = self._under_way.popleft()
        sent, accepted = batch.sent.result(), batch.accepted
        self.erased += sent.erased
        self.refused += sent.rows_refused
        # Lines first: a row that counts as done must not lack its line. Without its batch a line is cut off again.
        self._file.add(sorted([*accepted.refused, *sent.refused]))
        checkpoint = accepted.checkpoint
        self._position.advance(replace(checkpoint, rows_refused=checkpoint.rows_refused + self.refused))
        return len(accepted.batch.good)
