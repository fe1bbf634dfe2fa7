"""How many subjects the durable tier holds."""

from ebb.postgres.connection import PostgresConnection

_COUNT = "select count(*) from features where salt is not null"


def count_subjects(connection: PostgresConnection) -> int:
    """Return how many entities are held, those erased not among them; reads the whole table.

    Raises:
        Unavailable: Postgres does not answer.
    """
    return int(connection.query(_COUNT)[0][0])
