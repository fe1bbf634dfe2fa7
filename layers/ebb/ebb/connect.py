"""From settings to the real adapters; only bootstraps import this."""

from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures


def connect_store(settings: Settings) -> FeatureStore:
    """Return the feature store on Valkey and Postgres; connections open with the first use."""
    fast = ValkeyFeatures(settings.valkey_host, settings.valkey_port, ttl=settings.feature_ttl)
    durable = PostgresFeatures(
        PostgresConnection(
            settings.postgres_host,
            settings.postgres_port,
            user=settings.postgres_user,
            password=settings.postgres_password,
            database=settings.postgres_database,
        ),
        settings.history_keep,
    )
    return FeatureStore(fast, durable)
