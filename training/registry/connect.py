"""A client of MLflow, had only where the registry can be used: MLflow itself would retry for an hour."""

import logging
import os
import socket
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from training.registry.address import DATABASE, Address

_ROOM = 4 * 1024 * 1024
"""Bytes that a new sqlite file must find free: its empty tables take one million."""
_SECONDS = 5.0
_SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""MLflow's own switches, unless whoever runs Ebb has set them: seconds and retries of one request, and silence."""


def connect(address: Address) -> Any:
    """Return an `MlflowClient`.

    Raises:
        OSError, sqlite3.Error: the registry cannot be reached or written.
        Exception: whatever else MLflow and its libraries raise.
    """
    if address.server is not None:
        with socket.create_connection(address.server, timeout=_SECONDS):
            pass
    if address.database is not None:
        _probe(address.database)
        if not address.database.exists():
            _create(address.database)
    return _client(address.uri)


def _probe(database: Path) -> None:
    """Fail at once where MLflow would retry: no sqlite file, no permission, no room."""
    if not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=database.parent) as file:
            file.write(bytes(_ROOM))
            file.flush()
        return
    with closing(sqlite3.connect(database, timeout=_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.rollback()


def _create(database: Path) -> None:
    """Make the tables aside and move them into place whole, so that an interrupt leaves no half database."""
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=database.parent) as folder:
        made = Path(folder) / DATABASE
        _client(f"sqlite:///{made}").get_experiment_by_name("Default")
        made.replace(database)


def _client(uri: str) -> Any:
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient, set_tracking_uri  # noqa: PLC0415 - takes seconds

    if uri.startswith("arn:"):
        set_tracking_uri(uri)  # SageMaker's plugin signs for the address of the process, and not of the client
    for name in ("mlflow", "alembic", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
