"""CloudFormation's stacks as they stand: their state, their outputs, and what went wrong in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ebb.errors import EbbError
from local.deploying.aws import Aws
from local.deploying.words import AwsRefused

_STUCK = frozenset({"ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED", "UPDATE_FAILED"})
_STANDING = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
_CANCELLED = "cancelled"
_STACK = "AWS::CloudFormation::Stack"


class NotThere(EbbError):
    """Something of a stage does not stand yet."""


@dataclass(frozen=True)
class StackState:
    """One stack.

    Attributes:
        name, region: which.
        status: in CloudFormation's words.
        reason: of the status; often empty.
        outputs: by name.
    """

    name: str
    region: str
    status: str
    reason: str
    outputs: Mapping[str, str]

    @classmethod
    def read(cls, aws: Aws, name: str, region: str = "") -> Self | None:
        """Return a stack; None where there is none.

        Raises:
            AwsRefused: AWS cannot be asked.
        """
        try:
            told = aws.call("cloudformation", "describe_stacks", region=region, StackName=name)["Stacks"][0]
        except AwsRefused as error:
            if "does not exist" in error.told:
                return None
            raise
        outputs = {each["OutputKey"]: each["OutputValue"] for each in told.get("Outputs", ())}
        status, reason = told["StackStatus"], told.get("StackStatusReason", "")
        return cls(name, region or aws.region, status, reason, outputs)

    @property
    def stands(self) -> bool:
        """Whether it is there, whole, and nothing is being done to it."""
        return self.status in _STANDING

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def stuck(self) -> bool:
        """Whether it needs a hand before it can be deployed again."""
        return self.status in _STUCK


def outputs_of(stack: StackState | None, name: str, output: str) -> str:
    """Return an output of a stack.

    Raises:
        NotThere: the stack or its output does not stand.
    """
    if stack is None:
        raise NotThere(f"the stack {name} does not stand yet: run `ebb deploy` without --only, or --only cdk first")
    if output not in stack.outputs:
        raise NotThere(f"the stack {name} ({stack.status}) has no output {output}: deploy the newest code there")
    return stack.outputs[output]


def first_failure(aws: Aws, stack: StackState, since: datetime | None = None) -> str:
    """Return which resource of a stack failed first in what was last done to it, and why; empty where none did.

    Args:
        aws: where it stands.
        stack: which.
        since: what was over before is left out; None for nothing.

    Raises:
        AwsRefused: AWS cannot be asked.
    """
    found = ""
    for event in _events(aws, stack):
        reason = event.get("ResourceStatusReason", "")
        if since is not None and event["Timestamp"] < since:
            break
        if event["ResourceStatus"].endswith("_FAILED") and _CANCELLED not in reason.lower():
            found = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason.rstrip('.') or 'no word of why'}"
        if event["ResourceType"] == _STACK and reason == "User Initiated":
            break  # older ones are of what was done before
    return found


def _events(aws: Aws, stack: StackState) -> Iterator[Mapping[str, Any]]:
    """Yield what happened to a stack, the newest first."""
    more: dict[str, Any] = {}
    while True:
        page = aws.call("cloudformation", "describe_stack_events", region=stack.region, StackName=stack.name, **more)
        yield from page["StackEvents"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}
