"""MiniStack's CloudFormation: what it knows, and stacks deployed and deleted by it."""

import json
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.integration.deployed.reduction import Template
from tests.integration.stack_case import client_of

ACCOUNT = "000000000000"
_UNKNOWN = re.compile(r"Unrecognized resource types: \[([^]]*)\]")
_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
"""What `cdk bootstrap` leaves in an account, and every template asks for."""
_BOOTSTRAP_VERSION = "31"
_SECONDS = 120.0


class NotDeployed(AssertionError):
    """A stack did not come to where it was to; the text says which resources and why."""


@dataclass
class Emulator:
    """One MiniStack, prepared as an account is by `cdk bootstrap`.

    Attributes:
        url: of all its services.
    """

    url: str

    def __post_init__(self) -> None:
        self.cloudformation, self.s3 = self.client("cloudformation"), self.client("s3")
        self.client("ssm").put_parameter(Name=_BOOTSTRAP, Value=_BOOTSTRAP_VERSION, Type="String", Overwrite=True)
        self._bucket = f"templates-{ACCOUNT}"
        self.s3.create_bucket(Bucket=self._bucket)

    def client(self, service: str) -> Any:
        """Return a client of one of its services."""
        return client_of(service, self.url)

    def unknown(self, templates: Iterable[Template]) -> set[str]:
        """Return the types in templates that it does not know, by its own word."""
        types = {resource["Type"] for template in templates for resource in template["Resources"].values()}
        probe = {"Resources": {f"R{number}": {"Type": each} for number, each in enumerate(sorted(types))}}
        try:
            self.cloudformation.validate_template(TemplateBody=json.dumps(probe))
        except ClientError as error:
            said = _UNKNOWN.search(error.response["Error"]["Message"])
            if said is None:
                raise
            return {name.strip() for name in said[1].split(",")}
        return set()

    def upload(self, assets: Sequence[tuple[str, str, Path]]) -> None:
        """Put files where the templates look for them, as `cdk deploy` does."""
        for bucket in {bucket for bucket, _, _ in assets}:
            self.s3.create_bucket(Bucket=_in_account(bucket))
        for bucket, key, path in assets:
            self.s3.upload_file(str(path if path.is_file() else _zipped(path)), _in_account(bucket), key)

    def deploy(self, name: str, template: Template) -> dict[str, str]:
        """Create a stack and return its outputs.

        Raises:
            NotDeployed: it was not created.
        """
        self.cloudformation.create_stack(StackName=name, DisableRollback=True, **self._given(name, template))
        return self._outputs(self._wait(name, "CREATE_COMPLETE"))

    def update(self, name: str, template: Template) -> dict[str, str]:
        """Update a stack and return its outputs.

        Raises:
            NotDeployed: it was not updated.
        """
        self.cloudformation.update_stack(StackName=name, **self._given(name, template))
        return self._outputs(self._wait(name, "UPDATE_COMPLETE"))

    def _given(self, name: str, template: Template) -> dict[str, Any]:
        """Put a template where it may be as large as on AWS, and return what CloudFormation is told of it."""
        key = f"{name}.json"
        self.s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(template).encode())
        allowed = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
        return {"TemplateURL": f"{self.url}/{self._bucket}/{key}", "Capabilities": allowed}

    @staticmethod
    def _outputs(told: Mapping[str, Any]) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in told.get("Outputs", [])}

    def deployed(self, name: str) -> dict[str, tuple[str, str, str]]:
        """Return a stack's resources: type, physical id and status, by logical id."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        return {
            one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", ""), one["ResourceStatus"])
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def delete(self, name: str) -> None:
        """Delete a stack.

        Raises:
            NotDeployed: it was not deleted.
        """
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self.cloudformation.delete_stack(StackName=name)
        self._wait(stack, "DELETE_COMPLETE")

    def _wait(self, name: str, wanted: str) -> Mapping[str, Any]:
        until = time.monotonic() + _SECONDS
        while True:
            told: Mapping[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            if told["StackStatus"] == wanted:
                return told
            if not told["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() > until:
                raise NotDeployed(f"{name} is {told['StackStatus']}: {self._failures(name)}")
            time.sleep(0.05)

    def _failures(self, name: str) -> list[str]:
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]


def _zipped(folder: Path) -> Path:
    """Return an archive of a folder, beside it; where CDK names a folder, its command line uploads it like this."""
    return Path(shutil.make_archive(str(folder), "zip", folder))


def _in_account(name: str) -> str:
    return name.replace("${AWS::AccountId}", ACCOUNT)
