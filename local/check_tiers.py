"""All that Valkey holds, compared with Postgres."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from ebb.postgres.count import count_subjects
from ebb.postgres.features import PostgresFeatures
from ebb.store.compare import compare
from ebb.valkey.features import ValkeyFeatures
from local.calling.local_cloud import local_cloud
from local.loading.database import connect
from local.loading.running import running_servers
from local.supervisor.state import state_folder
from training.progress import Progress

_SECONDS = 30.0
_MOST_NOTES = 100_000


def check_tiers(progress: Progress) -> dict[str, Any]:
    """Compare the tiers of the running local cloud.

    Returns:
        What `Agreement.document` tells, with `cold` (entities only in Postgres) and `pending` (writes that the fast
        tier is still to be told).

    Raises:
        Unavailable: nothing is up, or a server does not answer.
    """
    state = local_cloud()
    servers = running_servers(state, state_folder())
    connection = connect(servers, state.contract or servers.postgres.database)
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=_SECONDS)
    durable = PostgresFeatures(connection)
    try:
        pending = len(durable.unsettled(0.0, _MOST_NOTES))
        subjects = count_subjects(connection)
        with progress.step("Compare the tiers", subjects) as done:

            def counted() -> Iterator[list[str]]:
                for entity_ids in fast.scan():
                    yield entity_ids
                    done(len(entity_ids))

            found = compare(durable, fast, chain.from_iterable(counted()))
    finally:
        connection.close()
        fast.close()
    cold = max(0, subjects - (found.checked - found.tombstones))
    return {**found.document(), "cold": cold, "pending": pending}
