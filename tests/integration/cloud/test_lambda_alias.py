"""What an alias names, as moto keeps it; it knows no provisioned concurrency and no hooks of a deployment."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ebb.aws.client import AwsClient
from ebb.aws.credentials import Credentials
from ebb.aws.functions import LambdaFunction
from ebb.errors import Misuse
from tests.fakes.aws_door import Door


def create(door: Door) -> Any:
    """Make a function `predict` with two versions and an alias on the first; return boto3's client."""
    trust = {"Version": "2012-10-17", "Statement": []}
    role = door.client("iam").create_role(RoleName="predict", AssumeRolePolicyDocument=json.dumps(trust))
    client, code = door.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handle(event, context): return event\n")
    client.create_function(
        FunctionName="predict",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="main.handle",
        Code={"ZipFile": code.getvalue()},
    )
    client.publish_version(FunctionName="predict")
    client.create_alias(FunctionName="predict", Name="live", FunctionVersion="1")
    return client


def test_an_alias_names_a_version_until_it_names_another(door: Door) -> None:
    theirs = create(door)
    ours = LambdaFunction(AwsClient(lambda: Credentials("a", "b")), door.environment, "predict")
    assert ours.alias_version("live") == theirs.get_alias(FunctionName="predict", Name="live")["FunctionVersion"]
    theirs.update_alias(FunctionName="predict", Name="live", FunctionVersion="$LATEST")
    assert ours.alias_version("live") == "$LATEST"
    with pytest.raises(ClientError):
        theirs.get_alias(FunctionName="predict", Name="dead")
    with pytest.raises(Misuse, match="the function predict has nothing that the alias dead could mean"):
        ours.alias_version("dead")
