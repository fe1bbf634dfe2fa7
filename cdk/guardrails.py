"""What holds for every stack: tags that say whose cost it is, and the rules of cdk-nag."""

from collections.abc import Sequence

import aws_cdk as aws

from cdk.stage import Stage


def guard(app: aws.App, stage: Stage, stacks: Sequence[aws.Stack]) -> None:
    """Tag everything, and protect the stacks of a stage that keeps its data from being deleted."""
    del app
    for stack in stacks:
        aws.Tags.of(stack).add("ebb:stage", stage.name)
        aws.Tags.of(stack).add("ebb:part", stack.stack_name.removeprefix(f"ebb-{stage.name}-"))
        stack.termination_protection = stage.keep
