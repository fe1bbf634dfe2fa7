"""Athena over the events: a workgroup that nobody can loosen, and a database for the tables of events."""

from dataclasses import dataclass

import aws_cdk as aws
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.job_roles import address_of, allow_named
from stacks.constructs.training_places import QUERIES, TrainingPlaces

_GIGABYTE = 10**9
_ENGINE = "Athena engine version 3"
_ASK = ("GetQueryExecution", "GetQueryResults", "GetWorkGroup", "StartQueryExecution", "StopQueryExecution")
_TABLES = ("CreateTable", "DeleteTable", "GetDatabase", "GetPartitions", "GetTable", "GetTables")


@dataclass(frozen=True)
class Queries:
    """What is asked, and of what.

    Attributes:
        workgroup: sets place, encryption and the most that one query reads.
        database: of the tables of events.
    """

    workgroup: athena.CfnWorkGroup
    database: glue.CfnDatabase

    @property
    def workgroup_name(self) -> str:
        """The workgroup's name."""
        return self.workgroup.ref

    @property
    def database_name(self) -> str:
        """The database's name, as SQL writes it before a table's."""
        return self.database.ref

    def grant_ask(self, role: iam.Role) -> None:
        """Let a role run queries in the workgroup, and make and drop tables of the database; data are other grants."""
        group = address_of(self.workgroup, "athena", "workgroup", self.workgroup_name, "/")
        role.add_to_policy(iam.PolicyStatement(actions=[f"athena:{name}" for name in _ASK], resources=[group]))
        allow_named(
            role,
            [f"glue:{name}" for name in _TABLES],
            [
                address_of(self.database, "glue", "catalog"),
                address_of(self.database, "glue", "database", self.database_name, "/"),
                address_of(self.database, "glue", "table", f"{self.database_name}/*", "/"),
            ],
            "Tables of events and of a build are named by whoever makes them, in one database. A database for each was "
            "considered; its tables would need the same wildcard.",
        )


def make_queries(scope: Construct, stage: Stage, places: TrainingPlaces) -> Queries:
    """Add workgroup and database.

    Args:
        scope: the stack.
        stage: names them, and says how much one query may read.
        places: where answers go, and their key.
    """
    workgroup = athena.CfnWorkGroup(
        scope,
        "Queries",
        name=f"ebb-{stage.name}",
        description=f"Ebb {stage.name}: features from events",
        recursive_delete_option=not stage.keep,
        work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=stage.training.scanned_gigabytes * _GIGABYTE,
            engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version=_ENGINE),
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{places.results.bucket_name}/{QUERIES}/",
                encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                    encryption_option="SSE_KMS", kms_key=places.key.key_arn
                ),
            ),
        ),
    )
    database = glue.CfnDatabase(
        scope,
        "EventsDatabase",
        catalog_id=aws.Aws.ACCOUNT_ID,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=f"ebb_{stage.name}", description=f"Ebb {stage.name}: tables of events"
        ),
    )
    return Queries(workgroup, database)
