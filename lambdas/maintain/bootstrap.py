"""The maintenance function's composition: which adapter stands behind which port."""

import time
from collections.abc import Mapping
from functools import partial

from ebb.addresses import valkey_address
from ebb.cloud import Cloud
from ebb.connect import CALM, connect_fast, connect_postgres, make_metrics
from ebb.http.doors import report_to_log
from ebb.postgres.changes import PostgresChanges
from ebb.postgres.count import count_subjects
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.feed import PostgresFeed
from ebb.postgres.idempotency import PostgresIdempotencyKeys
from ebb.postgres.months import PostgresMonths
from ebb.settings import Settings
from ebb.valkey.followed import ValkeyFollowed
from ebb.valkey.refilled import ValkeyRefilled
from lambdas.maintain.announcement import Announcement
from lambdas.maintain.following import Following
from lambdas.maintain.intervals import Intervals
from lambdas.maintain.logic import Maintenance
from lambdas.maintain.recording import Recording

_SECONDS = 0.5
"""For an answer about how far a refill or a position came."""


def bootstrap(environment: Mapping[str, str]) -> Maintenance:
    """Wire the function; connections open with the first use.

    Raises:
        Misuse: a variable of the environment is missing.
    """
    settings = Settings.from_environment(environment)
    metrics = make_metrics(settings, "maintain")
    cloud = Cloud(environment, lambda what: report_to_log(what, ""))
    connection, fast = connect_postgres(settings, CALM, cloud), connect_fast(settings, metrics, cloud)
    tables = cloud.routing(settings.routing, CALM.routing)
    announcement = Announcement(lambda: settings.contract, tables, fast)
    at = valkey_address(settings, cloud)
    refilling = ValkeyRefilled(at, seconds=_SECONDS)
    following = Following(
        PostgresFeed(connection),
        fast,
        ValkeyFollowed(at, settings.follows, seconds=_SECONDS),
        refilling,
        settings.follows,
        time.monotonic,
        metrics,
    )
    return Maintenance(
        durable=PostgresFeatures(connection, settings.history_keep),
        fast=fast,
        refilling=refilling,
        months=PostgresMonths(connection, settings.history_keep),
        subjects=partial(count_subjects, connection),
        prune_keys=PostgresIdempotencyKeys(connection).prune,
        announce=announcement.make,
        changes=Recording(PostgresChanges(connection), settings.followed).run,
        intervals=Intervals(settings.shortest_ttl, time.monotonic),
        clock=time.monotonic,
        now=time.time,
        report=lambda what: report_to_log(what, ""),
        signals=metrics,
        tick=metrics.tick,
        following=following if settings.follows else None,
    )
