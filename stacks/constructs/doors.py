"""Which kind of API stands before the functions, by the stage's value; whatever it is, it is used and watched alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_lambda
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.door import make_door
from stacks.constructs.names import Names
from stacks.constructs.rest_door import address_of, make_rest_door
from stacks.routes import ApiRoute


@dataclass(frozen=True)
class OpenDoor:
    """A door.

    Attributes:
        address: where to send requests, without a slash behind it: the stage's own name, else the gateway's.
        dimensions: by which CloudWatch tells its metrics.
    """

    address: str
    dimensions: Mapping[str, str]


def open_door(
    scope: Construct,
    stage: Stage,
    routes: Sequence[ApiRoute],
    functions: Mapping[str, aws_lambda.IFunction],
    names: Names | None,
) -> OpenDoor:
    """Make the door that the stage asks for; see `make_door` and `make_rest_door`."""
    named = f"https://{stage.domain.name}" if stage.domain else ""
    if stage.door.kind == "rest":
        rest_api = make_rest_door(scope, stage, routes, functions, names)
        dimensions = {"ApiName": rest_api.rest_api_name, "Stage": rest_api.deployment_stage.stage_name}
        return OpenDoor(named or address_of(rest_api), dimensions)
    api, door = make_door(scope, stage, routes, functions, names)
    return OpenDoor(named or api.api_endpoint, {"ApiId": api.api_id, "Stage": door.stage_name})
