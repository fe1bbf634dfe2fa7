"""MLflow's runs, model versions and aliases of one contract.

A registry that is away never costs a release: every failure here is `Unavailable`, which is noted and made up for.
"""

import logging
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ebb.contract import parse_contract
from ebb.errors import Unavailable
from ebb.release.manifest import CARD, CONTRACT, METRICS, MODEL
from training.registry.address import address_of
from training.registry.begun import MARK
from training.registry.calls import PATIENCE, Calls
from training.registry.connect import connect
from training.registry.registration import RELEASE, Registration, lineage_of, metrics_of
from training.registry.signature import MLMODEL, mlmodel

ALIASES = ("champion", "previous", "challenger", "cheap")
"""Roles of a release in the store, and by the same names in the registry."""

_FOLDER = "release"


class Registry:
    """The registry as one contract sees it.

    Args:
        releases: the folder of the releases; the sqlite file lies in it unless an address is given.
        contract: names the experiment and the registered model.
        uri: address of an MLflow server or database; empty for the sqlite file.
        seconds: that all calls may take together.

    Raises:
        Unavailable: MLflow or its file cannot be used; the sentence says why.
    """

    def __init__(self, releases: Path, contract: str, uri: str = "", seconds: float = PATIENCE) -> None:
        self._contract, self._calls = contract, Calls(seconds)
        with self._calls.bounded():
            address = address_of(releases, uri)
            self._client = connect(address)
            self._experiment = self._found_experiment() or self._made_experiment(address.artifacts)

    def start(self, tags: Mapping[str, str]) -> str:
        """Open a run and return its id."""
        with self._calls.bounded():
            run_id: str = self._client.create_run(self._experiment, tags=dict(tags)).info.run_id
        return run_id

    def register(self, registration: Registration, files: Mapping[str, bytes]) -> tuple[str, str]:
        """Log a release with its run, close the run, and make the release a version of the model.

        Every part may have been done before: what is there already is not made again.

        Args:
            registration: what only the training knows.
            files: of the release, verified.

        Returns:
            The run's id and the version's number.
        """
        known = self.numbers().get(registration.version)
        run_id = self._run(registration.run_id) or self.start({RELEASE: registration.version})
        self._log(run_id, registration, files)
        kept = {CARD: files[CARD], METRICS: files[METRICS], **registration.artifacts}
        if known is None:
            with self._calls.bounded():
                contract = parse_contract(files[CONTRACT].decode(), "its contract")
                described = {**files, MLMODEL: mlmodel(contract, run_id, MODEL)}
            kept |= {f"{_FOLDER}/{name}": content for name, content in described.items()}
        self._upload(run_id, kept)
        number = known or self._version(run_id, lineage_of(files))
        with self._calls.bounded():
            self._client.set_terminated(run_id, "FINISHED")
        return run_id, number

    def fail(self, run_id: str) -> bool:
        """Mark the run as failed, as far as the registry can be had; tell whether it could."""
        try:
            with self._calls.bounded():
                self._client.set_terminated(run_id, "FAILED")
        except Unavailable:
            logging.getLogger(__name__).debug("the run %s could not be marked as failed", run_id)
            return False
        return True

    def end_killed(self, mark: str) -> bool:
        """End the run of a mark whose process is gone; tell whether one was still running."""
        with self._calls.bounded():
            asked = f"tags.`{MARK}` = '{mark}' and attributes.status = 'RUNNING'"
            running = self._client.search_runs([self._experiment], asked)
            for run in running:
                self._client.set_terminated(run.info.run_id, "KILLED")
        return bool(running)

    def numbers(self) -> dict[str, str]:
        """Return the numbers of the model's versions, by release."""
        with self._calls.bounded():
            found = self._client.search_model_versions(f"name = '{self._contract}'")
            return {v.tags[RELEASE]: str(v.version) for v in found if RELEASE in v.tags}

    def align(self, roles: Mapping[str, str]) -> None:
        """Make the aliases say what the roles say.

        An alias whose release is not registered is taken away: none ever names a wrong one.

        Args:
            roles: release by alias, of `ALIASES`.
        """
        numbers = self.numbers()
        if not numbers:
            return
        with self._calls.bounded():
            aliases = {name: str(n) for name, n in self._client.get_registered_model(self._contract).aliases.items()}
        for alias in ALIASES:
            wanted = numbers.get(roles.get(alias, ""))
            if wanted != aliases.get(alias):
                self._move(alias, wanted)

    def _move(self, alias: str, number: str | None) -> None:
        with self._calls.bounded():
            if number is None:
                self._client.delete_registered_model_alias(self._contract, alias)
            else:
                self._client.set_registered_model_alias(self._contract, alias, number)

    def _found_experiment(self) -> str | None:
        found = self._client.get_experiment_by_name(self._contract)
        return None if found is None else str(found.experiment_id)

    def _made_experiment(self, artifacts: str | None) -> str:
        try:
            return str(self._client.create_experiment(self._contract, artifact_location=artifacts))
        except Exception:
            if found := self._found_experiment():  # somebody else was first
                return found
            raise

    def _run(self, run_id: str) -> str | None:
        """Return the run that was opened for a release, where this registry has it."""
        if not run_id:
            return None
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - MLflow takes seconds

        with self._calls.bounded():
            try:
                run = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise
            return run_id if run.info.lifecycle_stage == "active" else None

    def _log(self, run_id: str, registration: Registration, files: Mapping[str, bytes]) -> None:
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - MLflow takes seconds

        now = int(time.time() * 1000)
        with self._calls.bounded():
            self._client.log_batch(
                run_id,
                [Metric(name, value, now, 0) for name, value in metrics_of(files).items()],
                [Param(name, str(value)) for name, value in registration.parameters.items()],
                [RunTag(name, value) for name, value in lineage_of(files).items()],
            )

    def _upload(self, run_id: str, contents: Mapping[str, bytes]) -> None:
        with self._calls.bounded(), tempfile.TemporaryDirectory() as folder:
            for name, content in contents.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._client.log_artifacts(run_id, folder)

    def _version(self, run_id: str, tags: Mapping[str, str]) -> str:
        with self._calls.bounded():
            if self._client.search_registered_models(f"name = '{self._contract}'") == []:
                self._client.create_registered_model(self._contract)
            source = f"runs:/{run_id}/{_FOLDER}"
            made: Any = self._client.create_model_version(self._contract, source, run_id=run_id, tags=dict(tags))
        return str(made.version)
