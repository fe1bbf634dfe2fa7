"""What both tiers stand on."""

from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from cdk.stage import Stage
from stacks.constructs.places import DATA


@dataclass(frozen=True)
class Ground:
    """What a tier stands on.

    Attributes:
        stage: its values.
        vpc: the network.
        group: the tier's security group, which cannot be changed from here.
        key: encrypts what it stores.
    """

    stage: Stage
    vpc: ec2.IVpc
    group: ec2.ISecurityGroup
    key: kms.IKey

    @property
    def subnets(self) -> ec2.SubnetSelection:
        """Where data lies: no way leads out of there."""
        return ec2.SubnetSelection(subnet_group_name=DATA)
