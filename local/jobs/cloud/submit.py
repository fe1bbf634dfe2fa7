"""A job handed to SageMaker: a training through ModelTrainer, a processing through Processor (SDK v3).

The SDK takes seconds to import and, unless told otherwise, sends a line of telemetry for every call. It is imported by
the functions below only, and its session is told otherwise.
"""

import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ebb.errors import Misuse, Unavailable
from local.jobs.cloud.settings import SageMakerSettings
from local.jobs.request import unique_name
from training.jobs.table import Job

_CONFIGURATION = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
_CHECK = "SAGEMAKER_VALIDATE_ROLE"
"""The SDK's switch, off unless somebody says otherwise: it refuses every role that may not also write logs of metrics,
call functions and administer hubs. SageMaker itself refuses a role that it may not take on."""
_INPUT, _OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


@dataclass(frozen=True)
class CloudRequest:
    """One job to run on SageMaker.

    Attributes:
        job: what is run.
        inputs: `s3://...` of each input, by its name.
        settings: where and as whom.
        parameters: by name.
        wait: whether to wait for its end.
    """

    job: Job
    inputs: Mapping[str, str]
    settings: SageMakerSettings
    parameters: Mapping[str, str] = field(default_factory=dict)
    wait: bool = False

    def check(self) -> None:
        """Refuse what can be seen to be wrong before SageMaker is asked.

        Raises:
            Misuse: names the option and what to do.
        """
        self.job.check(set(self.inputs), set(self.parameters))
        for name, uri in self.inputs.items():
            if not uri.startswith("s3://"):
                raise Misuse(f"the input {name!r}: SageMaker reads from S3, so upload {uri} and give its s3:// address")
        if self.job.kind != "training" and self.settings.spot:
            raise Misuse(f"spot is for trainings: SageMaker runs {self.job.name!r} on machines that stay")


def submit(request: CloudRequest) -> str:
    """Ask SageMaker for a job and return the name it got.

    Raises:
        Misuse: the request is wrong.
        Unavailable: SageMaker cannot be reached or refuses, or, when waited for, the job failed.
    """
    request.check()
    ask = _train if request.job.kind == "training" else _process
    return _asked(lambda: ask(request))


def _train(request: CloudRequest) -> str:
    from sagemaker.core.shapes import CheckpointConfig, OutputDataConfig  # noqa: PLC0415 - takes seconds
    from sagemaker.core.training.configs import Compute, InputData, Networking, StoppingCondition  # noqa: PLC0415
    from sagemaker.train import ModelTrainer  # noqa: PLC0415 - as above

    os.environ.setdefault(_CHECK, "false")
    settings = request.settings
    wait = {"max_wait_time_in_seconds": settings.longest_wait} if settings.spot else {}
    network = {"subnets": list(settings.subnets), "security_group_ids": list(settings.security_groups)}
    trainer = ModelTrainer(
        sagemaker_session=_session(settings.region),
        role=settings.role,
        training_image=settings.image,
        base_job_name=f"ebb-{request.job.name}",
        compute=Compute(
            instance_type=settings.instance_type,
            instance_count=1,
            volume_size_in_gb=settings.volume_gb,
            enable_managed_spot_training=settings.spot,
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=settings.max_seconds, **wait),
        output_data_config=OutputDataConfig(s3_output_path=settings.output),
        checkpoint_config=CheckpointConfig(s3_uri=settings.checkpoints) if settings.checkpoints else None,
        networking=Networking(**network) if settings.subnets else None,
        hyperparameters=dict(request.parameters),
    )
    channels = [InputData(channel_name=name, data_source=uri) for name, uri in request.inputs.items()]
    trainer.train(input_data_config=channels, wait=request.wait, logs=request.wait)
    return str(trainer._latest_training_job.training_job_name)  # noqa: SLF001 - the SDK's own documented way to it


def _process(request: CloudRequest) -> str:
    from sagemaker.core import processing  # noqa: PLC0415 - takes seconds
    from sagemaker.core.network import NetworkConfig  # noqa: PLC0415 - as above
    from sagemaker.core.shapes import (  # noqa: PLC0415 - as above
        ProcessingInput,
        ProcessingOutput,
        ProcessingS3Input,
        ProcessingS3Output,
    )

    settings = request.settings
    network = {"subnets": list(settings.subnets), "security_group_ids": list(settings.security_groups)}
    processor = processing.Processor(
        role=settings.role,
        image_uri=settings.image,
        instance_count=1,
        instance_type=settings.instance_type,
        volume_size_in_gb=settings.volume_gb,
        max_runtime_in_seconds=settings.max_seconds,
        sagemaker_session=_session(settings.region),
        network_config=NetworkConfig(**network) if settings.subnets else None,
    )
    inputs = [
        ProcessingInput(
            input_name=name,
            s3_input=ProcessingS3Input(
                s3_uri=uri, local_path=f"{_INPUT}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
            ),
        )
        for name, uri in request.inputs.items()
    ]
    mode = "Continuous" if request.job.keeps_output else "EndOfJob"
    name = unique_name(request.job.name)
    output = ProcessingS3Output(s3_uri=settings.place(name), local_path=_OUTPUT, s3_upload_mode=mode)
    processor.run(
        inputs=inputs,
        outputs=[ProcessingOutput(output_name="output", s3_output=output)],
        arguments=[request.job.name, *(w for name, value in request.parameters.items() for w in (f"--{name}", value))],
        job_name=name,
        wait=request.wait,
        logs=request.wait,
    )
    return name


def _session(region: str) -> Any:
    """Return a session of the SDK that sends no telemetry."""
    import boto3  # noqa: PLC0415 - takes a third of a second
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415 - takes seconds

    return Session(boto_session=boto3.Session(region_name=region), sagemaker_config=_CONFIGURATION)


def _asked(ask: Callable[[], str]) -> str:
    """Ask, with the SDK's own chatter below warnings, and its many kinds of errors as one."""
    logging.getLogger("sagemaker").setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Found in the SDK's own source when it is imported; its users can do nothing about them.
            warnings.filterwarnings("ignore", message="invalid escape sequence", category=SyntaxWarning)
            warnings.filterwarnings(
                "ignore", message="sagemaker.train.configs has been moved", category=DeprecationWarning
            )
            return ask()
    except (Misuse, Unavailable):
        raise
    except Exception as error:  # the SDK raises botocore's, pydantic's and its own, which share nothing else
        reason = (str(error).strip().splitlines() or [""])[0][:300]
        raise Unavailable(f"SageMaker was not started: {reason or type(error).__name__}") from error
