"""From settings to where the servers listen, and how they are entered."""

import ssl
from dataclasses import replace

from ebb.cloud import Cloud
from ebb.entries import Entry
from ebb.postgres.address import PostgresAddress
from ebb.settings import Settings
from ebb.tls import trusting
from ebb.valkey.address import ValkeyAddress


def valkey_address(settings: Settings, cloud: Cloud | None = None) -> ValkeyAddress:
    """Return where the primary listens, and how it is entered."""
    entry = settings.valkey_entry
    logins = (cloud or Cloud()).logins(entry.secret) if entry.secret else None
    return ValkeyAddress(
        settings.valkey_host,
        settings.valkey_port,
        entry.username or None,
        entry.password or None,
        _encrypted(entry),
        logins,
    )


def postgres_address(settings: Settings, cloud: Cloud | None = None) -> PostgresAddress:
    """Return where the database lies, and how it is entered."""
    address, entry = settings.postgres, settings.postgres_entry
    logins = (cloud or Cloud()).database_logins(address, entry)
    return replace(address, tls=_encrypted(entry), logins=logins)


def _encrypted(entry: Entry) -> ssl.SSLContext | None:
    return trusting(entry.ca_file) if entry.tls else None
