"""MiniStack with this machine's executor behind its SageMaker, and clients of both.

What is emulated: S3 and Step Functions by MiniStack 1.5.33, with what `local.ministack` adds to its Distributed Map;
SageMaker's API by `local.jobs.api`. The jobs are real: processes of their own, with the code of the job image.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3

from local.jobs.api.server import SageMakerApi
from local.servers.ministack import REGION, MiniStack

DEADLINE = 150.0
ROLE = "arn:aws:iam::123456789012:role/score"


def client_of(service: str, url: str) -> Any:
    """Return a client of a service on this machine."""
    config = import_module("botocore.config").Config(
        retries={"total_max_attempts": 1}, proxies={}, read_timeout=60, connect_timeout=60
    )
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.session.Session().client(service, endpoint_url=url, region_name=REGION, config=config, **keys)


@dataclass
class Stack:
    """Both, running."""

    server: MiniStack
    api: SageMakerApi

    @cached_property
    def s3(self) -> Any:
        """Return a client of S3."""
        return client_of("s3", self.server.url)

    @cached_property
    def states(self) -> Any:
        """Return a client of Step Functions."""
        return client_of("stepfunctions", self.server.url)

    @cached_property
    def sagemaker(self) -> Any:
        """Return a client of SageMaker."""
        return client_of("sagemaker", self.api.url)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the keys below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def json(self, bucket: str, key: str) -> Any:
        """Return an object's JSON."""
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def machine(self, name: str, definition: str) -> str:
        """Create a state machine and return its ARN."""
        made = self.states.create_state_machine(name=name, definition=definition, roleArn=ROLE)
        return str(made["stateMachineArn"])

    def run(self, machine: str, given: Any) -> dict[str, Any]:
        """Run a state machine to its end."""
        execution = self.states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        until = time.monotonic() + DEADLINE
        while True:
            told: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            if told["status"] != "RUNNING":
                return told
            assert time.monotonic() < until, told
            time.sleep(0.1)

    def map_run(self, execution: dict[str, Any]) -> dict[str, Any]:
        """Describe the one map run of an execution."""
        (found,) = self.states.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        told: dict[str, Any] = self.states.describe_map_run(mapRunArn=found["mapRunArn"])
        return told

    def children(self, execution: dict[str, Any]) -> list[dict[str, Any]]:
        """Describe the child executions of its map run."""
        found = self.states.list_executions(mapRunArn=self.map_run(execution)["mapRunArn"])["executions"]
        return [self.states.describe_execution(executionArn=child["executionArn"]) for child in found]


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Start both, lend them, and end them by their ids."""
    address: list[str] = []
    with SageMakerApi(folder / "jobs", lambda: client_of("s3", address[0])) as api:
        server = MiniStack.start(folder / "ministack", sagemaker=api.url, waits=0.01)
        address.append(server.url)
        try:
            yield Stack(server, api)
        finally:
            server.stop()
