"""How faults get into a function: the extension of AWS FIS, and where it reads what to do.

The extension is a layer of AWS's own, whose account and version differ by region: Systems Manager names it, and
CloudFormation asks there while it deploys. No stage without experiments has it.
"""

from aws_cdk import aws_lambda
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.stage import Stage

_NAMES = {"arm64": "AWS-FIS-extension-arm64", "x86-64": "AWS-FIS-extension-x86_64"}


def let_faults_in(scope: Construct, stage: Stage, function: aws_lambda.Function, location_arn: str) -> None:
    """Put the extension before a function, which must also be let read the location.

    Args:
        scope: the function's stack.
        stage: its processor.
        function: before its version is published.
        location_arn: of the prefix in a bucket to which experiments write, with a slash at its end.
    """
    name = f"/aws/service/fis/lambda-extension/{_NAMES[stage.serving.architecture]}/1.x.x"
    layer = ssm.StringParameter.value_for_string_parameter(scope, name)
    function.add_layers(aws_lambda.LayerVersion.from_layer_version_arn(scope, "Faults", layer))
    function.add_environment("AWS_FIS_CONFIGURATION_LOCATION", location_arn)
    function.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "/opt/aws-fis/bootstrap")
