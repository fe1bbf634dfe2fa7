"""What the references of templates stand for, over all stacks of a stage; logical names stay symbols.

`<registry.Releases>` is what CloudFormation will call the resource `Releases` of the stack `registry`. Addresses are
put together from such symbols, so that one a policy spells out and one a template asks for are the same text.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Template = dict[str, Any]

ACCOUNT = "<account>"
_HASH = re.compile(r"[0-9A-F]{8}([0-9a-f]{32})?$")
_PLACE = re.compile(r"\$\{(!?)([^}]+)\}")

_HERE = "{region}:" + ACCOUNT
ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "AWS::ApiGatewayV2::Api": {"Ref": "{name}"},
    "AWS::CloudWatch::Alarm": {"Arn": f"arn:aws:cloudwatch:{_HERE}:alarm:{{name}}"},
    "AWS::CodeBuild::Project": {"Arn": f"arn:aws:codebuild:{_HERE}:project/{{name}}", "Ref": "{name}"},
    "AWS::CodeDeploy::Application": {"Ref": "{name}"},
    "AWS::CodeDeploy::DeploymentConfig": {"Ref": "{name}"},
    "AWS::CodeDeploy::DeploymentGroup": {"Ref": "{name}"},
    "AWS::Cognito::UserPool": {"Arn": f"arn:aws:cognito-idp:{_HERE}:userpool/{{name}}"},
    "AWS::EC2::VPC": {"Ref": "{name}"},
    "AWS::ECR::Repository": {"Arn": f"arn:aws:ecr:{_HERE}:repository/{{name}}", "Ref": "{name}"},
    "AWS::ElastiCache::ReplicationGroup": {"Ref": "{name}"},
    "AWS::IAM::Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{{name}}", "Ref": "{name}"},
    "AWS::KMS::Key": {"Arn": f"arn:aws:kms:{_HERE}:key/{{name}}", "Ref": "{name}"},
    "AWS::KMS::ReplicaKey": {"Arn": f"arn:aws:kms:{_HERE}:key/{{name}}", "Ref": "{name}"},
    "AWS::Lambda::Alias": {"Ref": "{function}:live"},
    "AWS::Lambda::Function": {"Arn": f"arn:aws:lambda:{_HERE}:function:{{name}}", "Ref": "{name}"},
    "AWS::Lambda::Version": {"Ref": "{function}:{name}", "Version": "{name}"},
    "AWS::Logs::LogGroup": {"Arn": f"arn:aws:logs:{_HERE}:log-group:{{name}}:*", "Ref": "{name}"},
    "AWS::RDS::DBCluster": {
        "DBClusterArn": f"arn:aws:rds:{_HERE}:cluster:{{name}}",
        "DBClusterResourceId": "{name}",
        "Ref": "{name}",
    },
    "AWS::RDS::DBProxy": {"DBProxyArn": f"arn:aws:rds:{_HERE}:db-proxy:{{name}}", "Ref": "{name}"},
    "AWS::S3::Bucket": {"Arn": "arn:aws:s3:::{name}", "Ref": "{name}"},
    "AWS::SNS::Topic": {"Ref": f"arn:aws:sns:{_HERE}:{{name}}", "TopicArn": f"arn:aws:sns:{_HERE}:{{name}}"},
    "AWS::SQS::Queue": {"Arn": f"arn:aws:sqs:{_HERE}:{{name}}", "QueueName": "{name}"},
    "AWS::SageMaker::MlflowTrackingServer": {
        "Ref": "{name}",
        "TrackingServerArn": f"arn:aws:sagemaker:{_HERE}:mlflow-tracking-server/{{name}}",
    },
    "AWS::Scheduler::Schedule": {"Arn": f"arn:aws:scheduler:{_HERE}:schedule/default/{{name}}", "Ref": "{name}"},
    "AWS::SecretsManager::Secret": {"Ref": f"arn:aws:secretsmanager:{_HERE}:secret:{{name}}"},
    "AWS::StepFunctions::StateMachine": {"Name": "{name}", "Ref": f"arn:aws:states:{_HERE}:stateMachine:{{name}}"},
}
"""What `Ref` and attributes return, by type, as CloudFormation's reference says ("Return values")."""


class UnknownReference(ValueError):
    """A template refers to something in a way that nobody taught this resolver."""


class References:
    """Resolves values of a stage's templates.

    Args:
        templates: by the stacks' short names.
        region: where the stage stands.
    """

    def __init__(self, templates: Mapping[str, Template], region: str) -> None:
        self.templates, self._region = templates, region
        self._names = {stack: readable(template.get("Resources", {})) for stack, template in templates.items()}
        self._exports = {
            self.resolve(stack, output["Export"]["Name"]): (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }
        self._intrinsics: Mapping[str, Callable[[str, Any], Any]] = {
            "Ref": lambda stack, name: self._reference(stack, name, "Ref"),
            "Fn::GetAtt": self._attribute,
            "Fn::Join": self._join,
            "Fn::Sub": self._substitute,
            "Fn::Select": lambda stack, given: self._resolved_list(stack, given[1])[int(given[0])],
            "Fn::Split": self._split,
            "Fn::ImportValue": self._import,
            "Fn::GetStackOutput": lambda _, told: f"<{told['Region']} {told['StackName']}.{told['OutputName']}>",
        }

    def symbol(self, stack: str, logical: str) -> str:
        """Return how a resource is called: its stack and its logical id without CDK's hash."""
        return f"<{stack}.{self._names[stack][logical]}>"

    def address(self, stack: str, logical: str) -> str:
        """Return a resource's ARN, or what else names it where it has none that is known here."""
        known = ADDRESSES.get(self.templates[stack]["Resources"][logical]["Type"], {})
        best = next((name for name in (*known, "Ref") if name.endswith("Arn")), "Ref")
        return self._reference(stack, logical, best)

    def resolve(self, stack: str, value: Any) -> Any:
        """Return a value with all its references resolved.

        Raises:
            UnknownReference: it holds an intrinsic, a pseudo parameter or an attribute that is not known here.
        """
        if isinstance(value, list):
            return [self.resolve(stack, one) for one in value]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if len(value) != 1 or not (name == "Ref" or name.startswith("Fn::") or name == "Condition"):
            return {key: self.resolve(stack, one) for key, one in value.items()}
        # "Condition" alone is CloudFormation's own; a policy's stands beside other keys.
        if name not in self._intrinsics:
            raise UnknownReference(
                f"{stack}: the intrinsic {name} is not known here; teach it to tests.stacks.references"
            )
        return self._intrinsics[name](stack, value[name])

    def _reference(self, stack: str, name: str, attribute: str) -> str:
        pseudo = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}
        pseudo |= {"AWS::Region": self._region, "AWS::StackName": f"<{stack}>"}
        if name in pseudo:
            return pseudo[name]
        resource = self.templates[stack].get("Resources", {}).get(name)
        if resource is None:
            raise UnknownReference(f"{stack}: {name} is no resource, and no pseudo parameter known here")
        symbol, known = self.symbol(stack, name), ADDRESSES.get(resource["Type"], {})
        if attribute in known:
            return known[attribute].format(
                name=symbol, region=self._region, function=self._function_of(stack, resource, known[attribute])
            )
        if attribute == "Ref" or not attribute.endswith("Arn"):
            return symbol if attribute == "Ref" else f"{symbol[:-1]}.{attribute}>"
        raise UnknownReference(f"{stack}: the {attribute} of {resource['Type']} is not known here; add it to ADDRESSES")

    def _function_of(self, stack: str, resource: Template, pattern: str) -> str:
        """Return the ARN of an alias's or version's function."""
        if "{function}" not in pattern:
            return ""
        (_, named), *_ = resource["Properties"]["FunctionName"].items()
        return self._reference(stack, named if isinstance(named, str) else named[0], "Arn")

    def _attribute(self, stack: str, given: Any) -> str:
        name, attribute = given.split(".", 1) if isinstance(given, str) else given
        return self._reference(stack, name, attribute)

    def _join(self, stack: str, given: Any) -> str:
        return str(given[0]).join(str(part) for part in self._resolved_list(stack, given[1]))

    def _substitute(self, stack: str, given: Any) -> str:
        text, names = (given, {}) if isinstance(given, str) else given

        def place(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return str(self.resolve(stack, names[name]))
            return self._attribute(stack, name) if "." in name else self._reference(stack, name, "Ref")

        return _PLACE.sub(place, text)

    def _split(self, stack: str, given: Any) -> list[str]:
        mark, text = given[0], str(self.resolve(stack, given[1]))
        if mark in "<.>-":
            raise UnknownReference(f"{stack}: splitting at {mark!r} would cut a symbol in {text}")
        return text.split(mark)

    def _resolved_list(self, stack: str, given: Any) -> list[Any]:
        found = self.resolve(stack, given)
        if not isinstance(found, list):
            raise UnknownReference(f"{stack}: {given} is no list")
        return found

    def _import(self, stack: str, given: Any) -> Any:
        name = self.resolve(stack, given)
        if name not in self._exports:
            raise UnknownReference(f"{stack}: no stack of the stage exports {name}")
        return self.resolve(*self._exports[name])


def readable(logical_ids: Mapping[str, Any]) -> dict[str, str]:
    """Return each logical id without CDK's hash, but with it where two would be called the same."""
    bare = {logical: _HASH.sub("", logical) or logical for logical in logical_ids}
    counts = Counter(bare.values())
    return {logical: name if counts[name] == 1 else logical for logical, name in bare.items()}
