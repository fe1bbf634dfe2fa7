"""Why some permissions name no resource of ours: the one table of reasons."""

_INTERFACE = (
    "Lambda asks for it on every resource when it puts a function into the network, and the same policy refuses it to "
    "the function's own code"
)
_TRACE = "X-Ray has no resource of a trace that a policy could name"
_LOOKS = "an experiment looks up what it breaks, and AWS lists such things to those only who may see all of them"
_CUTS = "an experiment cuts a zone off with an access list of its own, which it makes, tags and removes itself"
_STEPS = "an experiment starts one document by its name, and an execution is named when it starts"

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
    "elasticache:DescribeReplicationGroups": _LOOKS,
    "rds:DescribeDBClusters": _LOOKS,
    "rds:DescribeDBInstances": _LOOKS,
    "ssm:GetAutomationExecution": _STEPS,
    "ssm:StartAutomationExecution": _STEPS,
    "ssm:StopAutomationExecution": _STEPS,
    "tag:GetResources": _LOOKS,
    "xray:PutTelemetryRecords": _TRACE,
    "xray:PutTraceSegments": _TRACE,
}
"""By action. A resource is ours where one of its templates' names stands before the first wildcard."""


def bounded(resource: str) -> bool:
    """Say whether a resource of a policy can only be one that the templates make."""
    beginning = resource.split("*", 1)[0].split("?", 1)[0]
    return "<" in beginning.replace("<account>", "")
