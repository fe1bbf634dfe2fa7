"""The registry: MLflow in one sqlite file beside the releases, imported only when a release is registered.

A registry that is away never costs a release: every failure here is `Unavailable`, which the pipeline notes.
"""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ebb.errors import Unavailable

DATABASE, ARTIFACTS = "mlflow.db", "mlflow-artifacts"
CHAMPION, PREVIOUS = "champion", "previous"
_ROOM = 4 * 1024 * 1024
"""Bytes that a new registry must find free: its empty tables take one million."""
_RELEASE = "ebb.release"


class Registry:
    """MLflow's runs, models and aliases of one contract.

    Args:
        root: the folder of the releases; `mlflow.db` and `mlflow-artifacts` lie in it.
        contract: names the experiment and the registered model.

    Raises:
        Unavailable: MLflow or its file cannot be used; the sentence says why.
    """

    def __init__(self, root: Path, contract: str) -> None:
        self._contract = contract
        with _unavailable():
            database = root.absolute() / DATABASE
            _probe(database)
            if not database.exists():
                _create(database)
            self._client = _client(database)
            artifacts = (root.absolute() / ARTIFACTS).as_uri()
            experiment = self._client.get_experiment_by_name(contract)
            self._experiment = (
                experiment.experiment_id
                if experiment is not None
                else self._client.create_experiment(contract, artifact_location=artifacts)
            )

    def start(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Open a run and return its id."""
        with _unavailable():
            run_id: str = self._client.create_run(self._experiment, tags=dict(tags)).info.run_id
            for name, value in parameters.items():
                self._client.log_param(run_id, name, value)
        return run_id

    def finish(self, run_id: str, metrics: Mapping[str, float], texts: Mapping[str, str]) -> None:
        """Log metrics and texts (by artifact name), and close the run."""
        with _unavailable():
            for name, value in metrics.items():
                self._client.log_metric(run_id, name, value)
            for name, text in texts.items():
                self._client.log_text(run_id, text, name)
            self._client.set_terminated(run_id, "FINISHED")

    def fail(self, run_id: str) -> None:
        """Mark the run as failed, as far as the registry can be had."""
        try:
            with _unavailable():
                self._client.set_terminated(run_id, "FAILED")
        except Unavailable:
            logging.getLogger(__name__).debug("the run %s could not be marked as failed", run_id)

    def publish(self, run_id: str, version: str, folder: Path) -> str:
        """Register the release as a model version whose source is its folder, and return the version's number.

        A release that is registered already keeps its number.
        """
        with _unavailable():
            if self._client.search_registered_models(f"name = '{self._contract}'") == []:
                self._client.create_registered_model(self._contract)
            for known in self._client.search_model_versions(f"name = '{self._contract}'"):
                if known.tags.get(_RELEASE) == version:
                    return str(known.version)
            made = self._client.create_model_version(
                self._contract, folder.absolute().as_uri(), run_id=run_id, tags={_RELEASE: version}
            )
        return str(made.version)

    def crown(self, number: str) -> None:
        """Move the alias `champion` to this model version; the former champion gets `previous`."""
        with _unavailable():
            aliases = self._client.get_registered_model(self._contract).aliases
            former = aliases.get(CHAMPION)
            if former is not None and str(former) != number:
                self._client.set_registered_model_alias(self._contract, PREVIOUS, former)
            self._client.set_registered_model_alias(self._contract, CHAMPION, number)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:  # MLflow, SQLAlchemy and alembic raise types that share nothing else
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        raise Unavailable(f"the registry (MLflow) failed: {reason or type(error).__name__}") from error


def _probe(database: Path) -> None:
    """Fail at once where MLflow would retry for an hour: no sqlite file, no permission, no room."""
    if not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=database.parent) as file:
            file.write(bytes(_ROOM))
            file.flush()
        return
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.rollback()


def _create(database: Path) -> None:
    """Make the tables aside and move them into place whole, so that an interrupt leaves no half database."""
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=database.parent) as folder:
        made = Path(folder) / DATABASE
        _client(made).get_experiment_by_name("Default")
        made.replace(database)


def _client(database: Path) -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    address = f"sqlite:///{database}"
    return MlflowClient(tracking_uri=address, registry_uri=address)
