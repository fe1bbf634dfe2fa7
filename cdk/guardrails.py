"""What holds for every stack: tags that say whose cost it is, protection, and the rules of cdk-nag."""

from collections.abc import Sequence

import aws_cdk as aws
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from cdk.stage import Stage

_NOT_TAGGED = ["AWS::RDS::DBProxyTargetGroup"]
"""CDK tags them, and CloudFormation knows no tags of theirs."""

_CHECKED = "AwsSolutions"


def guard(app: aws.App, stage: Stage, stacks: Sequence[aws.Stack]) -> None:
    """Tag everything, protect the stacks of a stage that keeps its data, and let no unexplained finding pass synth.

    Args:
        app: whose synth fails with a finding of AwsSolutions that nobody acknowledged.
        stage: whose stacks they are.
        stacks: all of them.
    """
    for stack in stacks:
        tags = {"ebb:stage": stage.name, "ebb:part": stack.stack_name.removeprefix(f"ebb-{stage.name}-")}
        for name, value in tags.items():
            aws.Tags.of(stack).add(name, value, exclude_resource_types=_NOT_TAGGED)
        stack.termination_protection = stage.keep
    if app.node.try_find_child(_CHECKED) is None:  # several stages may share an app, and one check is enough
        Construct(app, _CHECKED)
        aws.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
