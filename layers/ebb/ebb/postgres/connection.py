"""One connection to Postgres by `pg8000`: opened when first used, and again after it broke."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pg8000.native

from ebb.postgres.address import PostgresAddress
from ebb.postgres.refusal import refuses_login, unavailable
from ebb.postgres.wire import Wire, connect


class PostgresConnection:
    """A connection that heals: whatever fails in its hands closes it, and the next use opens a new one.

    The server gives a statement up when nobody waits for it any more, and a wait for a lock before that. Not for
    two threads at once.

    Args:
        address: the database, and as whom it is entered.
        timeout: seconds for an answer.
        connect_timeout: seconds for each step of a connect; None for as long as an answer may take.
        lock_timeout: seconds to wait for a row or a table that another one holds.
        read_only: have the server refuse every write, whatever it could do.
    """

    def __init__(
        self,
        address: PostgresAddress,
        *,
        timeout: float = 5.0,
        connect_timeout: float | None = None,
        lock_timeout: float = 2.0,
        read_only: bool = False,
    ) -> None:
        self.address, self._timeout = address, timeout
        self._connect_timeout = timeout if connect_timeout is None else connect_timeout
        limits = {
            "statement_timeout": str(max(1, int(timeout * 1e3))),
            "lock_timeout": str(max(1, int(lock_timeout * 1e3))),
            # A plan for each month that could be meant costs more than the answer.
            "plan_cache_mode": "force_generic_plan",
            **({"default_transaction_read_only": "on"} if read_only else {}),
        }
        # The wire is encrypted already, where it is: pg8000 would not verify whom it speaks to.
        self._as = {"database": address.database, "startup_params": limits, "ssl_context": False}
        self._connection: pg8000.native.Connection | None = None
        self._wire: Wire | None = None
        self._prepared: dict[str, Any] = {}
        self._lent = False

    @contextmanager
    def use(self) -> Iterator[pg8000.native.Connection]:
        """Lend the connection.

        Raises:
            Refused: Postgres refuses the statement or the connection.
            Unavailable: Postgres cannot be reached or does not answer in time.
        """
        lent, self._lent = self._lent, True
        try:
            yield self._open()
        except BaseException as error:
            # It may stand in the middle of a statement; closed, the server takes it back.
            self.close()
            told = unavailable(error)
            if told is None:
                raise
            raise told from None
        finally:
            self._lent = lent

    @contextmanager
    def transaction(self) -> Iterator[pg8000.native.Connection]:
        """Lend the connection for statements that count together or not at all.

        Raises:
            Unavailable: see `use`; nothing was written.
        """
        with self.use() as connection:
            connection.run("begin")
            yield connection
            connection.run("commit")

    def query(self, sql: str, **values: Any) -> list[Any]:
        """Run a statement that is prepared with its first use; inside `transaction` it belongs to it.

        A connection that ended while nothing was asked on it costs no answer: another one takes its place.

        Raises:
            Unavailable: see `use`.
        """
        # No `with self.use()`: a generator costs a tenth of a read.
        try:
            # What is lent holds more than its connection: a transaction, perhaps a lock.
            if self._wire is not None and not self._lent and self._wire.stirs():
                self.close()
            statement = self._prepared.get(sql)
            if statement is None:
                statement = self._prepared[sql] = self._open().prepare(sql)
            rows: list[Any] = statement.run(**values)
        except BaseException as error:
            self.close()
            told = unavailable(error)
            if told is None:
                raise
            raise told from None
        return rows

    def close(self) -> None:
        """Close the connection, if there is one; a broken one too."""
        if self._connection is not None:
            with suppress(pg8000.native.Error, OSError):
                self._connection.close()
        if self._wire is not None:
            self._wire.end()
        self._connection = self._wire = None
        self._prepared = {}

    def _open(self) -> pg8000.native.Connection:
        """Return the connection, made by a socket of our own: pg8000 leaves its own open when the handshake fails."""
        if self._connection is None:
            where, login = self.address, self.address.login()
            self._wire = connect(where.host, where.port, self._connect_timeout, where.tls)
            user = login.username or where.user
            try:
                made = pg8000.native.Connection(user=user, password=login.password, sock=self._wire, **self._as)
            except pg8000.native.DatabaseError as error:
                if refuses_login(error):
                    where.refused(login)
                raise
            self._connection = made
            self._wire.settimeout(self._timeout)
        return self._connection
