"""Findings of cdk-nag that are accepted, each beside its construct."""

import aws_cdk as aws
from constructs import IConstruct

_PACK = "AwsSolutions"


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding for a construct and what stands below it.

    Args:
        construct: that has it.
        finding: the exact id without the pack, as in "S1" or "IAM5[Resource::*]".
        reason: why it stays, and which alternative was considered.
    """
    whole = f"{_PACK}::{_PACK}-{finding}"
    aws.Validations.of(construct).acknowledge(aws.Acknowledgment(id=whole, reason=reason))
