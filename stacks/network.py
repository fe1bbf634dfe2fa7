"""The network: a VPC in which only functions, database and cache stand, and nothing is reachable from outside.

The prediction path reaches S3 through a gateway endpoint, which is free, and Secrets Manager through an interface
endpoint; function logs and traces leave through Lambda itself. A NAT gateway stands there only where it costs less.
"""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.egress import cheaper_egress
from cdk.stage import BadStage, Stage
from stacks.constructs.places import DATA, FUNCTIONS, HTTPS, POSTGRES_PORT, VALKEY_PORT
from stacks.constructs.retention import retention_of

S3_ADDRESSES = {
    "us-east-1": "pl-63a5400a",
    "us-east-2": "pl-7ba54012",
    "us-west-2": "pl-68a54001",
    "eu-west-1": "pl-6da54004",
    "eu-central-1": "pl-6ea54007",
}
"""Amazon's own list of S3's addresses in each region, which a rule can name (`aws ec2 describe-managed-prefix-lists`).

A gateway endpoint is a route, no place with a security group: without a rule for them S3 could not be reached.
"""

_GIGABYTES = 1.0
"""A month through the interface endpoints: secrets are read once an environment."""


class NetworkStack(Stack):
    """The VPC, its endpoints, and the security groups that say who may talk to whom.

    Args:
        scope: the app.
        name: of the stack.
        stage: its values.

    Attributes:
        vpc: the network.
        functions, database, cache: security groups, shared with later stacks as references that cannot be changed.
        group_ids: their ids by what stands in them.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name, env={"region": stage.region}, description=f"Ebb {stage.name}: the network")
        services = {"SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER}
        nat = cheaper_egress(len(services), stage.network.zones, _GIGABYTES).way == "nat"
        zones = [f"{stage.region}{letter}" for letter in "abc"[: stage.network.zones]]
        self.vpc = _vpc(self, stage, zones, nat=nat)
        self.functions = self._group("Functions", "Lambda functions")
        self.database = self._group("Database", "Aurora and its proxy")
        self.cache = self._group("Cache", "Valkey")
        self._arrows(stage)
        if nat:  # AWS services have no addresses that a rule could name
            self.functions.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "to AWS services")
        else:
            self._endpoints(services)

    def shared(self, scope: Construct, group: ec2.SecurityGroup) -> ec2.ISecurityGroup:
        """Return a security group for another stack, which must not add rules to it: that would make a cycle."""
        reference = f"{group.node.id}Reference"
        found = scope.node.try_find_child(reference)
        if found is not None:
            return found  # type: ignore[return-value]  # put there by the line below
        return ec2.SecurityGroup.from_security_group_id(scope, reference, group.security_group_id, mutable=False)

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _arrows(self, stage: Stage) -> None:
        """Let the functions reach the tiers and S3, the proxy the database, and nobody else anybody."""
        if stage.region not in S3_ADDRESSES:
            known = ", ".join(S3_ADDRESSES)
            raise BadStage(
                f"the stage {stage.name!r}: S3's addresses in {stage.region} are not known yet, those of {known} are"
            )
        self.functions.add_egress_rule(ec2.Peer.prefix_list(S3_ADDRESSES[stage.region]), ec2.Port.tcp(HTTPS), "to S3")
        for group, port in ((self.cache, VALKEY_PORT), (self.database, POSTGRES_PORT)):
            self.functions.add_egress_rule(group, ec2.Port.tcp(port), "to the tier")
            group.add_ingress_rule(self.functions, ec2.Port.tcp(port), "from functions")
        self.database.add_ingress_rule(self.database, ec2.Port.tcp(POSTGRES_PORT), "from the proxy")
        self.database.add_egress_rule(self.database, ec2.Port.tcp(POSTGRES_PORT), "to the cluster")

    def _endpoints(self, services: dict[str, ec2.InterfaceVpcEndpointAwsService]) -> None:
        endpoints = self._group("Endpoints", "Interface endpoints")
        endpoints.add_ingress_rule(self.functions, ec2.Port.tcp(HTTPS), "from functions")
        self.functions.add_egress_rule(endpoints, ec2.Port.tcp(HTTPS), "to AWS services")
        for name, service in services.items():
            self.vpc.add_interface_endpoint(
                name,
                service=service,
                subnets=ec2.SubnetSelection(subnet_group_name=FUNCTIONS),
                security_groups=[endpoints],
                open=False,
            )


def _vpc(stack: NetworkStack, stage: Stage, zones: Sequence[str], *, nat: bool) -> ec2.Vpc:
    inside = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat else ec2.SubnetType.PRIVATE_ISOLATED
    subnets = [
        ec2.SubnetConfiguration(name=FUNCTIONS, subnet_type=inside, cidr_mask=20),
        ec2.SubnetConfiguration(name=DATA, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
    ]
    if nat:
        subnets.append(ec2.SubnetConfiguration(name="nat", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=26))
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(stage.network.cidr),
        availability_zones=list(zones),
        nat_gateways=len(zones) if nat else 0,
        subnet_configuration=subnets,
        restrict_default_security_group=False,  # its custom resource is a function with rights over every group
    )
    s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    s3.add_to_policy(_own_buckets(stack))
    log = logs.LogGroup(stack, "FlowLog", retention=retention_of(stage.log_days), removal_policy=RemovalPolicy.DESTROY)
    vpc.add_flow_log(
        "Flow",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(log),
        traffic_type=ec2.FlowLogTrafficType.REJECT,  # who was turned away; what is let through is known by its rules
        max_aggregation_interval=ec2.FlowLogMaxAggregationInterval.TEN_MINUTES,
    )
    return vpc


def _own_buckets(stack: NetworkStack) -> iam.PolicyStatement:
    """Let buckets of this account be reached and no others: what is in the network cannot be carried elsewhere."""
    return iam.PolicyStatement(
        sid="OwnBuckets",
        principals=[iam.AnyPrincipal()],
        actions=["s3:*"],
        resources=["*"],
        conditions={"StringEquals": {"aws:ResourceAccount": stack.account}},
    )
