"""Parts of Amazon States Language that several states share: expressions, and what is tried again."""

from typing import Any

EXECUTION = "$states.context.Execution.Name"
"""In a batch the name of its child execution, another one in every run."""
FULL = ["SageMaker.ResourceLimitExceededException", "SageMaker.ThrottlingException", "S3.SlowDownException"]
"""Errors of an account that does enough already: waiting helps."""
FAULTS = ["SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException", "S3.SdkClientException"]
"""Errors of a service or of the way to it: a few attempts help, or none."""


def said(expression: str) -> str:
    """Mark a JSONata expression as one."""
    return f"{{% {expression} %}}"


def retries(attempts: int, seconds: int, *, faults: int) -> list[dict[str, Any]]:
    """Return what a task tries again, and how often.

    Args:
        attempts: where an account is full.
        seconds: before the first of them.
        faults: seconds before the first of three where a service has a fault.
    """
    return [_retry(FULL, attempts, seconds), _retry(FAULTS, 3, faults)]


def _retry(errors: list[str], attempts: int, seconds: int) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "MaxAttempts": attempts,
        "IntervalSeconds": seconds,
        "BackoffRate": 2,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    }
