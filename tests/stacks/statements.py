"""Every policy statement of a stage's templates, with its references resolved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import orjson
from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.stacks.references import ACCOUNT, References

Kind = Literal["identity", "resource", "trust", "endpoint"]
EVERYBODY, THE_ACCOUNT = "everybody", "account"
_AWS_MANAGED = "arn:aws:iam::aws:policy/"

RESOURCE_POLICIES: Mapping[str, tuple[str, str]] = {
    "AWS::EC2::VPCEndpoint": ("PolicyDocument", ""),
    "AWS::KMS::Key": ("KeyPolicy", ""),
    "AWS::KMS::ReplicaKey": ("KeyPolicy", ""),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy", "SecretId"),
}
"""Types with a policy about a resource: where it stands, and which property names the resource."""
_ITSELF = {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::SecretsManager::ResourcePolicy"}
"""Types in whose policies `*` means the resource that has the policy."""


class UnknownPolicy(ValueError):
    """A policy says something that is not read here."""


@dataclass(frozen=True)
class Condition:
    """One condition: the key's values must stand to `values` as `operator` says."""

    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operator} {self.key} = {', '.join(self.values)}"


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        where: the resource that holds it.
        kind: whose policy it is: a role's, a resource's, who may take a role, or what an endpoint lets through.
        allows: whether it allows; otherwise it denies.
        principals: symbols of roles, "service NAME", `EVERYBODY` or `THE_ACCOUNT`, which hands on to roles' policies.
        actions, resources: patterns.
        conditions: which must all hold.
    """

    where: str
    kind: Kind
    allows: bool
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


def statements_of(references: References) -> list[Statement]:
    """Return all statements of a stage.

    Raises:
        UnknownPolicy: one of them cannot be read.
        UnknownReference: one of them refers to what is not known.
    """
    return [one for place in _resources(references) for one in _statements(references, *place)]


def documents(value: Any) -> Iterator[Any]:
    """Yield whatever looks like a policy in a template, so that a test can ask whether all were read."""
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        for one in value.values():
            yield from documents(one)
    elif isinstance(value, list):
        for one in value:
            yield from documents(one)


def _resources(references: References) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stack, template in references.templates.items():
        for logical, resource in template["Resources"].items():
            yield stack, logical, resource


def _statements(references: References, stack: str, logical: str, resource: dict[str, Any]) -> Iterator[Statement]:
    kind, symbol = resource["Type"], references.symbol(stack, logical)
    given = resource.get("Properties", {})
    if kind == "AWS::IAM::Role":
        yield from _role(references, stack, logical, given)
    elif kind in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
        if {"Users", "Groups"} & set(given):
            raise UnknownPolicy(f"{symbol}: policies of users and groups are not read here")
        holders = tuple(references.resolve(stack, given.get("Roles", [])))
        yield from _read(references.resolve(stack, given["PolicyDocument"]), symbol, "identity", holders)
    elif kind == "AWS::Lambda::Permission":
        yield _permission(references.resolve(stack, given), symbol)
    elif kind in RESOURCE_POLICIES and RESOURCE_POLICIES[kind][0] in given:
        place, named = RESOURCE_POLICIES[kind]
        itself = references.resolve(stack, given[named]) if named else references.address(stack, logical)
        whose: Kind = "endpoint" if kind == "AWS::EC2::VPCEndpoint" else "resource"
        document = references.resolve(stack, given[place])
        yield from _read(document, symbol, whose, itself=itself if kind in _ITSELF else "")


def _role(references: References, stack: str, logical: str, given: dict[str, Any]) -> Iterator[Statement]:
    symbol, address = references.symbol(stack, logical), references.address(stack, logical)
    trust = references.resolve(stack, given["AssumeRolePolicyDocument"])
    yield from _read(trust, symbol, "trust", itself=address)
    for inline in references.resolve(stack, given.get("Policies", [])):
        yield from _read(inline["PolicyDocument"], symbol, "identity", (symbol,))
    for arn in references.resolve(stack, given.get("ManagedPolicyArns", [])):
        if arn.startswith(_AWS_MANAGED):
            name = arn.rsplit("/", 1)[1]
            yield from _read(_managed_by_aws()[name]["Document"], f"AWS's {name}", "identity", (symbol,))
        elif not arn.startswith("<"):  # one of the stage says itself whose it is
            raise UnknownPolicy(f"{symbol}: what {arn} allows is not known here")
    if "PermissionsBoundary" in given:
        raise UnknownPolicy(f"{symbol}: permission boundaries are not read here")


@cache
def _managed_by_aws() -> dict[str, Any]:
    """Return AWS's own policies by name, as moto brings them."""
    found: dict[str, Any] = orjson.loads(aws_managed_policies_data)
    return found


def _permission(given: dict[str, Any], symbol: str) -> Statement:
    keys = {"SourceArn": ("ArnLike", "aws:SourceArn"), "SourceAccount": ("StringEquals", "aws:SourceAccount")}
    if unknown := set(given) - {"Action", "FunctionName", "Principal", *keys}:
        raise UnknownPolicy(f"{symbol}: {', '.join(sorted(unknown))} of a permission is not read here")
    conditions = tuple(Condition(*how, (given[name],)) for name, how in keys.items() if name in given)
    who = _principals({"Service": given["Principal"]}, symbol)
    return Statement(symbol, "resource", True, who, (given["Action"],), (given["FunctionName"],), conditions)


def _read(
    document: dict[str, Any], where: str, kind: Kind, principals: tuple[str, ...] = (), itself: str = ""
) -> Iterator[Statement]:
    for given in _listed(document["Statement"]):
        known = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
        if unknown := set(given) - known:
            raise UnknownPolicy(f"{where}: {', '.join(sorted(unknown))} of a statement is not read here")
        resources = tuple(_listed(given.get("Resource", itself or [])))
        yield Statement(
            where,
            kind,
            given["Effect"] == "Allow",
            _principals(given["Principal"], where) if "Principal" in given else principals,
            tuple(_listed(given["Action"])),
            tuple(itself if itself and one == "*" else one for one in resources),
            tuple(_conditions(given.get("Condition", {}))),
        )


def _conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for operator, keys in sorted(given.items()):
        for key, values in sorted(keys.items()):
            yield Condition(operator, key, tuple(str(value) for value in _listed(values)))


def _principals(given: Any, where: str) -> tuple[str, ...]:
    if given == "*":
        return (EVERYBODY,)
    found = []
    for sort, names in given.items():
        for name in _listed(names):
            if sort == "Service":
                found.append(f"service {name}")
            elif sort == "AWS" and name in {"*", f"arn:aws:iam::{ACCOUNT}:root"}:
                found.append(EVERYBODY if name == "*" else THE_ACCOUNT)
            elif sort == "AWS" and name.startswith(f"arn:aws:iam::{ACCOUNT}:role/"):
                found.append(name.rsplit("/", 1)[1])
            else:
                raise UnknownPolicy(f"{where}: the principal {sort} {name} is not read here")
    return tuple(found)


def _listed(one: Any) -> Sequence[Any]:
    return one if isinstance(one, list) else [one]
