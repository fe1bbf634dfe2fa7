"""Layouts: the names that a bulk load's rows share, kept once, so that each row of the history is values only."""

from collections.abc import Sequence
from typing import Any

import orjson
import pg8000.native

from ebb.contract.model import Value
from ebb.postgres.connection import PostgresConnection

_ADD = "insert into layouts (names) values (cast(:names as text[])) on conflict do nothing"
_FIND = "select id from layouts where names = cast(:names as text[])"
_NAMES = "select names from layouts where id = cast(:id as smallint)"


def layout_of(connection: pg8000.native.Connection, names: Sequence[str]) -> int:
    """Return the id of these names in this order, made where it is not there yet."""
    connection.run(_ADD, names=list(names))
    return int(connection.run(_FIND, names=list(names))[0][0])


class Layouts:
    """Reads what the history holds; remembers the layouts it has seen, which never change.

    Args:
        connection: where they lie.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        self._names: dict[int, list[str]] = {}

    def values(self, layout: int | None, text: str) -> dict[str, Value]:
        """Return the values of one row of the history.

        Args:
            layout: names them; None where the text does.
            text: a JSON array where there is a layout, else a JSON object.

        Raises:
            Unavailable: Postgres does not answer.
        """
        found: Any = orjson.loads(text)
        values: dict[str, Value] = found if layout is None else dict(zip(self._of(layout), found, strict=True))
        return values

    def _of(self, layout: int) -> list[str]:
        if layout not in self._names:
            self._names[layout] = self._connection.query(_NAMES, id=layout)[0][0]
        return self._names[layout]
