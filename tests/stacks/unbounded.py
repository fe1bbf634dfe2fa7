"""Why some permissions name no resource of ours: the one table of reasons."""

_INTERFACE = (
    "Lambda asks for it on every resource when it puts a function into the network, and the same policy refuses it to "
    "the function's own code"
)
_TRACE = "X-Ray has no resource of a trace that a policy could name"

UNBOUNDED = {
    "ec2:CreateNetworkInterface": _INTERFACE,
    "ec2:DeleteNetworkInterface": _INTERFACE,
    "ec2:DescribeNetworkInterfaces": _INTERFACE,
    "xray:PutTelemetryRecords": _TRACE,
    "xray:PutTraceSegments": _TRACE,
}
"""By action. A resource is ours where one of its templates' names stands before the first wildcard."""


def bounded(resource: str) -> bool:
    """Say whether a resource of a policy can only be one that the templates make."""
    beginning = resource.split("*", 1)[0].split("?", 1)[0]
    return "<" in beginning.replace("<account>", "")
