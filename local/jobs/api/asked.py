"""What CreateProcessingJob asks for, held against AWS's own model and against what this machine can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

from ebb.errors import Misuse
from training.jobs.table import Job, job_named

_INPUTS, _RESULTS = "/opt/ml/processing/input", "/opt/ml/processing/output"


@dataclass(frozen=True)
class Input:
    """One input: where it lies, and whether that is an `S3Prefix` or a `ManifestFile`."""

    uri: str
    kind: str


@dataclass(frozen=True)
class Asked:
    """One processing job.

    Attributes:
        name: of the run.
        job: what is run.
        parameters: by name.
        inputs: by name.
        outputs: folder of the results, relative; and where its files go, by that.
        max_seconds: the longest it may take.
        environment: variables on top.
    """

    name: str
    job: Job
    parameters: Mapping[str, str]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, str]
    max_seconds: float | None
    environment: Mapping[str, str]


def read_request(request: Mapping[str, Any]) -> Asked:
    """Read the arguments of CreateProcessingJob.

    Raises:
        Misuse: AWS would refuse them, or this machine cannot run them.
    """
    report = _validator().validate(request, _shape())
    if report.has_errors():
        raise Misuse(" ".join(report.generate_report().split()))
    words = request["AppSpecification"].get("ContainerArguments", [])
    names, values = words[1::2], words[2::2]
    if not words or len(names) != len(values) or not all(name.startswith("--") for name in names):
        raise Misuse("ContainerArguments: the job image takes a job and `--name value` pairs")
    outputs = [entry["S3Output"] for entry in request.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    asked = Asked(
        name=request["ProcessingJobName"],
        job=job_named(words[0]),
        parameters={name.removeprefix("--"): value for name, value in zip(names, values, strict=True)},
        inputs=dict(_input(entry) for entry in request.get("ProcessingInputs", [])),
        outputs={_below(entry["LocalPath"], _RESULTS): entry["S3Uri"] for entry in outputs},
        max_seconds=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
        environment=request.get("Environment", {}),
    )
    asked.job.check(set(asked.inputs), set(asked.parameters))
    return asked


def _input(entry: Mapping[str, Any]) -> tuple[str, Input]:
    name, source = entry["InputName"], entry["S3Input"]
    if _below(source["LocalPath"], _INPUTS) != name:
        raise Misuse(f"the input {name!r}: here it lies in {_INPUTS}/{name}, not in {source['LocalPath']}")
    return name, Input(source["S3Uri"], source["S3DataType"])


def _below(path: str, folder: str) -> str:
    try:
        return str(PurePosixPath(path).relative_to(folder))
    except ValueError:
        raise Misuse(f"{path} does not lie below {folder}, where this machine looks") from None


@cache
def _shape() -> Any:
    session = import_module("botocore.session").Session()
    return session.get_service_model("sagemaker").operation_model("CreateProcessingJob").input_shape


@cache
def _validator() -> Any:
    return import_module("botocore.validate").ParamValidator()
