"""Whom alarms tell: one topic at once, one in the morning; encrypted, and only over TLS."""

from collections.abc import Sequence

import aws_cdk as aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.encryption import make_key

_ALARMS = iam.ServicePrincipal("cloudwatch.amazonaws.com")


def make_topics(scope: Construct, stage: Stage) -> dict[str, sns.Topic]:
    """Add the topics "page" and "ticket", to which this stage's alarms alone may write.

    Args:
        scope: the stack.
        stage: says who subscribes. With nobody the topics stand all the same; subscribe to them later.
    """
    key = make_key(scope, "Key", stage, "alarms on their way")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            principals=[_ALARMS],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": aws.Aws.ACCOUNT_ID}},
        )
    )
    wanted = {"page": stage.watch.page, "ticket": stage.watch.ticket}
    return {name: _topic(scope, stage, name, key, addresses) for name, addresses in wanted.items()}


def _topic(scope: Construct, stage: Stage, name: str, key: kms.Key, addresses: Sequence[str]) -> sns.Topic:
    title = name.capitalize()
    topic = sns.Topic(scope, title, display_name=f"Ebb {stage.name}: {name}", master_key=key, enforce_ssl=True)
    alarms = aws.Stack.of(scope).format_arn(
        service="cloudwatch",
        resource="alarm",
        resource_name=f"ebb-{stage.name}-*",
        arn_format=aws.ArnFormat.COLON_RESOURCE_NAME,
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            principals=[_ALARMS],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": aws.Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": alarms},
            },
        )
    )
    for address in addresses:
        https = address.startswith("https://")
        topic.add_subscription(
            subscriptions.UrlSubscription(address) if https else subscriptions.EmailSubscription(address)
        )
    aws.CfnOutput(scope, f"{title}Arn", value=topic.topic_arn, description=f"Where to subscribe to be told: {name}")
    return topic
