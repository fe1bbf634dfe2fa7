"""Why some permissions name no resource of ours: the one table of reasons."""

import re

_INTERFACE = (
    "Lambda asks for it on every resource when it puts a function into the network, and the same policy refuses it to "
    "the function's own code"
)
_TRACE = "X-Ray has no resource of a trace that a policy could name"
_LOOKS = "an experiment looks up what it breaks, and AWS lists such things to those only who may see all of them"
_CUTS = "an experiment cuts a zone off with an access list of its own, which it makes, tags and removes itself"
_STEPS = "an experiment starts one document by its name, and an execution is named when it starts"

_THERE = "the key stands in the other region, where its alias is known, which the condition names"

_LOGIN = "a login to the registry of images names no repository, and opens nothing that is not granted beside it"
_DELIVERS = "Step Functions sets up the delivery of its log itself, and AWS takes this on every resource only"
_ALARMS = "CloudWatch lists alarms to those only who may see all of them"

UNBOUNDED = {
    "cloudwatch:DescribeAlarms": _ALARMS,
    "ec2:CreateNetworkAcl": _CUTS,
    "ec2:CreateNetworkAclEntry": _CUTS,
    "ec2:CreateNetworkInterface": _INTERFACE,
    "ec2:CreateTags": _CUTS,
    "ec2:DeleteNetworkAcl": _CUTS,
    "ec2:DeleteNetworkInterface": _INTERFACE,
    "ec2:DescribeManagedPrefixLists": _LOOKS,
    "ec2:DescribeNetworkAcls": _LOOKS,
    "ec2:DescribeNetworkInterfaces": _INTERFACE,
    "ec2:DescribeSubnets": _LOOKS,
    "ec2:DescribeVpcs": _LOOKS,
    "ec2:ReplaceNetworkAclAssociation": _CUTS,
    "ecr:GetAuthorizationToken": _LOGIN,
    "elasticache:DescribeReplicationGroups": _LOOKS,
    "kms:Encrypt": _THERE,
    "kms:GenerateDataKey": _THERE,
    **{
        f"logs:{name}": _DELIVERS
        for name in (
            "CreateLogDelivery",
            "DeleteLogDelivery",
            "DescribeLogGroups",
            "DescribeResourcePolicies",
            "GetLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
            "UpdateLogDelivery",
        )
    },
    "rds:DescribeDBClusters": _LOOKS,
    "rds:DescribeDBInstances": _LOOKS,
    "ssm:GetAutomationExecution": _STEPS,
    "ssm:StartAutomationExecution": _STEPS,
    "ssm:StopAutomationExecution": _STEPS,
    "tag:GetResources": _LOOKS,
    "xray:GetSamplingRules": _TRACE,
    "xray:GetSamplingTargets": _TRACE,
    "xray:PutTelemetryRecords": _TRACE,
    "xray:PutTraceSegments": _TRACE,
}
"""By action. A resource is ours where one of its templates' names stands before the first wildcard."""


BY_NAME = re.compile(
    r"arn:aws:secretsmanager:[a-z0-9-]+:<account>:secret:ebb/[a-z]+/seal-\?{6}"
    r"|arn:aws:s3:::ebb-[a-z]+-releases-<account>-[a-z0-9-]+/(releases|routing)/\*"
)
"""What the templates of the other region make under a name of ours: the secret's replica, the bucket's."""


_HERE = "[a-z0-9-]+:<account>:"
NAMED = {
    r"arn:aws:s3:::cdk-[a-z0-9]+-assets-<account>-[a-z0-9-]+/[0-9a-f]{64}\.zip": (
        "the sources of the job image, put there by the deployment under a hash of their own"
    ),
    rf"arn:aws:logs:{_HERE}log-group:/aws/sagemaker/(Training|Processing)Jobs:(\*|log-stream:ebb-\*)": (
        "SageMaker writes the logs of all jobs of an account into these two groups, which it makes itself"
    ),
    rf"arn:aws:sagemaker:{_HERE}(training|processing)-job/ebb-(batch-)?\*": (
        "jobs are named when they start, and Ebb's names begin so"
    ),
    rf"arn:aws:events:{_HERE}rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule": (
        "the one rule by which Step Functions hears of the end of jobs, which it makes itself"
    ),
    rf"arn:aws:glue:{_HERE}catalog": "the one catalog of an account, which a query names beside the database",
}
"""By pattern: what neither a template makes nor a name of ours bounds, but is one exact sort of thing, and why."""


def bounded(resource: str) -> bool:
    """Say whether a resource of a policy can only be one that the templates make, or one that `NAMED` explains."""
    if BY_NAME.fullmatch(resource) or any(re.fullmatch(pattern, resource) for pattern in NAMED):
        return True
    beginning = resource.split("*", 1)[0].split("?", 1)[0]
    return "<" in beginning.replace("<account>", "")
