"""Processing jobs between S3 and the executor: inputs fetched, the job run, results sent, all as SageMaker tells it."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ebb.errors import EbbError
from local.jobs.api.asked import Asked, read_request
from local.jobs.api.objects import fetch, send
from local.jobs.request import JobRequest
from local.jobs.run import JobRun
from local.jobs.status import ask_to_stop

_ARN = "arn:aws:sagemaker:us-east-1:000000000000:processing-job"
_GRACE_SECONDS = 5.0


class NameTaken(EbbError):
    """There was a job of this name already; SageMaker gives a name once."""


class NoSuchJob(EbbError):
    """No job has this name."""


@dataclass
class _Job:
    request: Mapping[str, Any]
    told: dict[str, Any]
    thread: threading.Thread | None = field(default=None)


class ProcessingJobs:
    """Every processing job of one machine.

    Args:
        folder: of their runs, downloads and results; made when absent.
        s3: makes a client of the S3 that inputs and outputs lie in.
    """

    def __init__(self, folder: Path, s3: Callable[[], Any]) -> None:
        self._folder, self._s3 = folder, s3
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Start a job and return its ARN.

        Raises:
            Misuse: the request is wrong.
            NameTaken: as it says.
        """
        asked = read_request(request)
        arn = f"{_ARN}/{asked.name}"
        told = {"ProcessingJobStatus": "InProgress", "CreationTime": time.time()}
        with self._lock:
            if asked.name in self._jobs:
                raise NameTaken(f"Job name must be unique within an account and region: {asked.name}")
            job = self._jobs[asked.name] = _Job(request, told)
        job.thread = threading.Thread(target=self._run, args=(asked, job), name=f"job {asked.name}", daemon=True)
        job.thread.start()
        return {"ProcessingJobArn": arn}

    def describe(self, name: str) -> dict[str, Any]:
        """Return what DescribeProcessingJob does.

        Raises:
            NoSuchJob: as it says.
        """
        job = self._job(name)
        return {**job.request, **job.told, "ProcessingJobArn": f"{_ARN}/{name}"}

    def stop(self, name: str) -> None:
        """Ask for a job's stop; nothing happens when it is over.

        Raises:
            NoSuchJob: as it says.
        """
        job = self._job(name)
        with self._lock:
            if job.told["ProcessingJobStatus"] != "InProgress":
                return
            job.told = {**job.told, "ProcessingJobStatus": "Stopping"}
        self._ask_to_stop(name)

    def names(self) -> list[str]:
        """Return the names of all jobs, the oldest first."""
        return list(self._jobs)

    def close(self) -> None:
        """Stop every job and wait until none runs."""
        for name, job in list(self._jobs.items()):
            while job.thread is not None and job.thread.is_alive():
                self._ask_to_stop(name)
                job.thread.join(0.1)

    def _ask_to_stop(self, name: str) -> None:
        folder = self._folder / "runs" / name
        if folder.is_dir():
            ask_to_stop(self._folder / "runs", name)

    def _job(self, name: str) -> _Job:
        try:
            return self._jobs[name]
        except KeyError:
            raise NoSuchJob(f"Could not find requested job with name: {name}") from None

    def _run(self, asked: Asked, job: _Job) -> None:
        """Bring a job to its end, and say how that was when all is in its place."""
        downloads = self._folder / "downloads" / asked.name
        try:
            ended = self._work(asked, downloads, job)
        except EbbError as error:
            ended = {"ProcessingJobStatus": "Failed", "FailureReason": f"ClientError: {error}"}
        except Exception as error:  # noqa: BLE001 - of S3, of the disk: the job must not stay in progress
            ended = {"ProcessingJobStatus": "Failed", "FailureReason": f"InternalServerError: {type(error).__name__}"}
        finally:
            shutil.rmtree(downloads, ignore_errors=True)
        with self._lock:
            job.told = {**job.told, **ended, "ProcessingEndTime": time.time()}

    def _work(self, asked: Asked, downloads: Path, job: _Job) -> dict[str, Any]:
        s3 = self._s3()
        for name, source in asked.inputs.items():
            fetch(s3, source.uri, source.kind, downloads / name)
        request = JobRequest(
            name=asked.name,
            job=asked.job,
            inputs={name: [downloads / name] for name in asked.inputs},
            target=self._folder / "results",
            parameters=asked.parameters,
            grace_seconds=_GRACE_SECONDS,
            max_seconds=asked.max_seconds,
            environment=asked.environment,
        )
        run = JobRun(self._folder / "runs", request)
        run.prepare()
        if job.told["ProcessingJobStatus"] == "Stopping":  # asked for while there was no run to ask
            self._ask_to_stop(asked.name)
        status = run.run()
        if status.output:
            for folder, uri in asked.outputs.items():
                send(s3, Path(status.output) / folder, uri)
        told = {"ProcessingJobStatus": status.status}
        return {**told, "FailureReason": status.failure_reason} if status.failure_reason else told
