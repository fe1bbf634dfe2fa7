"""Rules: what training keeps, builds and asks, and the machines that its jobs run on."""

from collections.abc import Iterator

from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import HOURS
from cdk.pricing.templates import Resource

PART = "training"
"""The stack, and what its lines are summed up under."""


def tracking_server(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a managed MLflow server by its size."""
    size, price = str(resource.properties.get("TrackingServerSize", "Small")), case.prices["tracking_server"]
    yield Line(resource.part, PART, f"MLflow, {size}", HOURS, price.unit, price.of_kind(size, HOURS))


def repository(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the images of a repository."""
    yield case.line(resource.part, PART, "images", case.measured["image_gigabytes"], "image_storage")


def build(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the minutes of a build project, by its machine."""
    price, minutes = case.prices["build_minute"], case.measured["build_minutes"]
    kind = str(resource.properties.get("Environment", {}).get("ComputeType", ""))
    yield Line(resource.part, PART, "builds of the image", minutes, price.unit, price.of_kind(kind, minutes))


def workgroup(resource: Resource, case: Case) -> Iterator[Line]:
    """Price what a workgroup's queries scan."""
    yield case.line(resource.part, PART, "queries", case.measured["scanned_terabytes"], "scan")


def state_machine(resource: Resource, case: Case) -> Iterator[Line]:
    """Price the steps of a state machine's runs."""
    yield case.line(resource.part, PART, "steps of batch runs", case.measured["batch_steps"], "state_transition")


def bucket(resource: Resource, case: Case) -> Iterator[Line]:
    """Price a bucket of tables, artefacts, answers or access logs."""
    yield case.line(resource.part, PART, "storage", case.measured["training_gigabytes"], "bucket_storage")


def machines(case: Case) -> Iterator[Line]:
    """Price the hours of the jobs' machines, where there is an image that they run."""
    if case.templates.of("AWS::ECR::Repository"):
        yield case.line("", PART, "machines of jobs", case.measured["training_hours"], "training_machine")
