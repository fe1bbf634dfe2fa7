"""The reviewed table: every type of resource is priced by a rule, free, or priced with another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cdk.pricing import of_compute, of_data, of_regions, of_training, of_watching
from cdk.pricing.case import Case
from cdk.pricing.errors import PricingError
from cdk.pricing.line import Line
from cdk.pricing.templates import Resource

Rule = Callable[[Resource, Case], Iterator[Line]]


@dataclass(frozen=True)
class With:
    """Priced with another type, or with what it is part of."""

    other: str


@dataclass(frozen=True)
class Free:
    """Costs nothing by itself, and why that is so."""

    why: str = "AWS charges nothing for it"


_FREE = Free()
_ROUTES, _FUNCTION = With("the API's requests"), With("AWS::Lambda::Function")
_SHIFT = Free("CodeDeploy charges nothing for shifts of Lambda; the second warm version is priced as overlap")

TABLE: dict[str, Rule | With | Free] = {
    "AWS::ApiGateway::Account": _FREE,
    "AWS::ApiGateway::ApiKey": _FREE,
    "AWS::ApiGateway::Authorizer": _ROUTES,
    "AWS::ApiGateway::Deployment": _FREE,
    "AWS::ApiGateway::GatewayResponse": _FREE,
    "AWS::ApiGateway::Method": _ROUTES,
    "AWS::ApiGateway::Model": _FREE,
    "AWS::ApiGateway::RequestValidator": _FREE,
    "AWS::ApiGateway::Resource": _FREE,
    "AWS::ApiGateway::RestApi": of_compute.rest_api,
    "AWS::ApiGateway::Stage": of_compute.rest_stage,
    "AWS::ApiGateway::UsagePlan": _FREE,
    "AWS::ApiGateway::UsagePlanKey": _FREE,
    "AWS::ApiGatewayV2::Api": of_compute.http_api,
    "AWS::ApiGatewayV2::ApiMapping": _FREE,
    "AWS::ApiGatewayV2::Authorizer": _ROUTES,
    "AWS::ApiGatewayV2::DomainName": _FREE,
    "AWS::ApiGatewayV2::Integration": _ROUTES,
    "AWS::ApiGatewayV2::Route": _ROUTES,
    "AWS::ApiGatewayV2::Stage": of_compute.http_stage,
    "AWS::ApplicationAutoScaling::ScalableTarget": With("AWS::Lambda::Version"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Free("target tracking's own alarms are not charged for"),
    "AWS::Athena::WorkGroup": of_training.workgroup,
    "AWS::CDK::Metadata": _FREE,
    "AWS::CertificateManager::Certificate": Free("public certificates cost nothing"),
    "AWS::CloudFormation::CustomResource": _FUNCTION,
    "AWS::CloudFront::Distribution": of_regions.distribution,
    "AWS::CloudWatch::Alarm": of_watching.alarm,
    "AWS::CloudWatch::CompositeAlarm": of_watching.composite_alarm,
    "AWS::CloudWatch::Dashboard": of_watching.dashboard,
    "AWS::CodeBuild::Project": of_training.build,
    "AWS::CodeDeploy::Application": _SHIFT,
    "AWS::CodeDeploy::DeploymentConfig": _SHIFT,
    "AWS::CodeDeploy::DeploymentGroup": _SHIFT,
    "AWS::Cognito::UserPool": With("AWS::Cognito::UserPoolClient: the pool has clients and no users"),
    "AWS::Cognito::UserPoolClient": of_watching.client,
    "AWS::Cognito::UserPoolDomain": _FREE,
    "AWS::Cognito::UserPoolResourceServer": _FREE,
    "AWS::EC2::EIP": of_data.address,
    "AWS::EC2::FlowLog": of_data.flow_log,
    "AWS::EC2::InternetGateway": _FREE,
    "AWS::EC2::NatGateway": of_data.nat,
    "AWS::EC2::Route": _FREE,
    "AWS::EC2::RouteTable": _FREE,
    "AWS::EC2::SecurityGroup": _FREE,
    "AWS::EC2::SecurityGroupEgress": _FREE,
    "AWS::EC2::SecurityGroupIngress": _FREE,
    "AWS::EC2::Subnet": _FREE,
    "AWS::EC2::SubnetRouteTableAssociation": _FREE,
    "AWS::EC2::VPC": _FREE,
    "AWS::EC2::VPCEndpoint": of_data.endpoint,
    "AWS::EC2::VPCGatewayAttachment": _FREE,
    "AWS::ECR::Repository": of_training.repository,
    "AWS::ElastiCache::ParameterGroup": _FREE,
    "AWS::ElastiCache::ReplicationGroup": of_data.cache,
    "AWS::ElastiCache::SubnetGroup": _FREE,
    "AWS::ElastiCache::User": _FREE,
    "AWS::ElastiCache::UserGroup": _FREE,
    "AWS::Events::EventBus": With("AWS::Events::Rule"),
    "AWS::Events::Rule": of_watching.event_rule,
    "AWS::FIS::ExperimentTemplate": of_watching.experiment,
    "AWS::Glue::Database": _FREE,
    "AWS::IAM::ManagedPolicy": _FREE,
    "AWS::IAM::Policy": _FREE,
    "AWS::IAM::Role": _FREE,
    "AWS::IAM::ServiceLinkedRole": _FREE,
    "AWS::KMS::Alias": _FREE,
    "AWS::KMS::Key": of_data.key,
    "AWS::KMS::ReplicaKey": of_data.key,
    "AWS::Lambda::Alias": _FREE,
    "AWS::Lambda::EventInvokeConfig": _FREE,
    "AWS::Lambda::Function": of_compute.function,
    "AWS::Lambda::LayerVersion": _FREE,
    "AWS::Lambda::Permission": _FREE,
    "AWS::Lambda::Version": of_compute.version,
    "AWS::Logs::LogGroup": With("what writes into it: functions, the API's stage, the flow log, the tiers"),
    "AWS::Logs::MetricFilter": With("the metrics of functions"),
    "AWS::Logs::ResourcePolicy": _FREE,
    "AWS::RDS::DBCluster": of_data.database_cluster,
    "AWS::RDS::DBClusterParameterGroup": _FREE,
    "AWS::RDS::DBInstance": of_data.database_instance,
    "AWS::RDS::DBProxy": of_data.proxy,
    "AWS::RDS::DBProxyEndpoint": of_regions.proxy_endpoint,
    "AWS::RDS::DBProxyTargetGroup": With("AWS::RDS::DBProxy"),
    "AWS::RDS::DBSubnetGroup": _FREE,
    "AWS::RDS::GlobalCluster": of_regions.global_cluster,
    "AWS::Route53::HealthCheck": of_regions.health_check,
    "AWS::Route53::RecordSet": Free("aliases to AWS's own names are not charged for"),
    "AWS::S3::Bucket": of_data.bucket,
    "AWS::S3::BucketPolicy": _FREE,
    "AWS::SNS::Subscription": With("AWS::SNS::Topic"),
    "AWS::SNS::Topic": of_watching.topic,
    "AWS::SNS::TopicPolicy": _FREE,
    "AWS::SSM::Document": Free("documents of one's own cost nothing"),
    "AWS::SSM::Parameter": Free("standard parameters cost nothing"),
    "AWS::SageMaker::MlflowTrackingServer": of_training.tracking_server,
    "AWS::Scheduler::Schedule": of_watching.schedule,
    "AWS::Scheduler::ScheduleGroup": _FREE,
    "AWS::SecretsManager::ResourcePolicy": _FREE,
    "AWS::SecretsManager::RotationSchedule": With("the function that rotates"),
    "AWS::SecretsManager::Secret": of_data.secret,
    "AWS::SecretsManager::SecretTargetAttachment": _FREE,
    "AWS::StepFunctions::StateMachine": of_training.state_machine,
    "AWS::WAFv2::LoggingConfiguration": Free("it logs what is turned away, which its caller does not pay for: little"),
    "AWS::WAFv2::WebACL": of_regions.firewall,
    "AWS::XRay::SamplingRule": With("AWS::Lambda::Function, by its traces"),
}
_OWN_RESOURCES = "Custom::"


def lines_of(resource: Resource, case: Case) -> Iterator[Line]:
    """Return what one resource costs; nothing where it is free or priced with another.

    Raises:
        PricingError: nobody has reviewed its type.
    """
    found = TABLE.get(resource.kind, _FUNCTION if resource.kind.startswith(_OWN_RESOURCES) else None)
    if found is None:
        raise PricingError(
            f"nobody has said what {resource.kind} costs ({resource.name} of the stack {resource.part!r}): add it to "
            "cdk/pricing/table.py as priced, free, or priced with another"
        )
    if not isinstance(found, (With, Free)):
        yield from found(resource, case)
