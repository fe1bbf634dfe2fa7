"""One connection to Postgres by `pg8000`: opened when first used, and again after it broke."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import pg8000.native

from ebb.errors import Unavailable


class _Wire(socket.socket):
    """A socket that closes the files made of it: pg8000 leaves its own open when a connection breaks."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())
        self._files: list[IO[Any]] = []

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        """Make a file of the socket, and remember it."""
        file: IO[Any] = super().makefile(*args, **kwargs)
        self._files.append(file)
        return file

    def end(self) -> None:
        """Close everything, whatever state it is in."""
        for file in self._files:
            with suppress(OSError, ValueError):
                file.close()
        self.close()


class PostgresConnection:
    """A connection that heals: whatever fails in its hands closes it, and the next use opens a new one.

    Args:
        host, port, user, password, database: where and as whom.
        timeout: seconds for a connect or an answer.
    """

    def __init__(self, host: str, port: int, *, user: str, password: str, database: str, timeout: float) -> None:
        self._address, self._timeout = (host, port), timeout
        self._as = {"user": user, "password": password, "database": database}
        self._connection: pg8000.native.Connection | None = None
        self._wire: _Wire | None = None
        self._prepared: dict[str, Any] = {}

    @contextmanager
    def use(self) -> Iterator[pg8000.native.Connection]:
        """Lend the connection.

        Raises:
            Unavailable: Postgres cannot be reached, does not answer in time, or refuses the statement.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection
        except pg8000.native.DatabaseError as error:
            self.close()
            detail = error.args[0].get("M", "") if error.args and isinstance(error.args[0], dict) else ""
            raise Unavailable(f"Postgres refused: {detail or 'no reason given'}") from None
        except (pg8000.native.InterfaceError, OSError) as error:
            self.close()
            raise Unavailable(f"Postgres does not answer ({type(error).__name__})") from None
        except BaseException:
            # It may stand in the middle of a statement; closed, the server takes it back.
            self.close()
            raise

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
        """Run a statement that is prepared with its first use.

        Raises:
            Unavailable: see `use`.
        """
        with self.use() as connection:
            if sql not in self._prepared:
                self._prepared[sql] = connection.prepare(sql)
            rows: list[Any] = self._prepared[sql].run(**values)
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

    def _connect(self) -> pg8000.native.Connection:
        """Connect by a socket of our own: pg8000 leaves its own open when the handshake fails."""
        self._wire = _Wire(socket.create_connection(self._address, self._timeout))
        self._wire.settimeout(self._timeout)
        self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return pg8000.native.Connection(**self._as, sock=self._wire)
