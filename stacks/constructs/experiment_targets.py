"""What experiments break."""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_lambda
from aws_cdk import aws_rds as rds


@dataclass(frozen=True)
class Targets:
    """What is broken.

    Attributes:
        vpc: whose zone is lost.
        cluster: Aurora.
        group: Valkey.
        predict: the function into which faults are injected.
    """

    vpc: ec2.IVpc
    cluster: rds.IDatabaseCluster
    group: elasticache.CfnReplicationGroup
    predict: aws_lambda.IFunction

    @property
    def group_arn(self) -> str:
        """The address of Valkey's replication group."""
        stack = aws.Stack.of(self.group)
        return stack.format_arn(
            service="elasticache",
            resource="replicationgroup",
            resource_name=self.group.ref,
            arn_format=aws.ArnFormat.COLON_RESOURCE_NAME,
        )

    def subnets(self, zone: str) -> list[ec2.ISubnet]:
        """Return the subnets of one zone."""
        every = [*self.vpc.isolated_subnets, *self.vpc.private_subnets]
        return [subnet for subnet in every if subnet.availability_zone == zone]

    def subnet_arns(self, zone: str) -> list[str]:
        """Return the addresses of one zone's subnets."""
        stack = aws.Stack.of(self.vpc)
        return [
            stack.format_arn(service="ec2", resource="subnet", resource_name=subnet.subnet_id)
            for subnet in self.subnets(zone)
        ]
