"""The folders, files and variables that a SageMaker container finds, made below a folder of this machine."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ebb.errors import Misuse
from local.jobs.request import JobRequest
from training.jobs.container import ROOT

_HOST = "algo-1"
_REGION = "us-east-1"


def make_tree(request: JobRequest, root: Path) -> None:
    """Make inputs, configuration and empty places for the results below `root`; what a former run left there goes.

    Inputs are hard links, and symbolic ones where the disk is another.

    Raises:
        Misuse: two files of one input have the same name.
        OSError: the disk refuses.
    """
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("output/data", "model", "tmp"):
        (root / folder).mkdir(parents=True)
    for name, paths in request.inputs.items():
        _fill(name, paths, channel(request, root, name))
    kept = (request.checkpoints or root.with_name("checkpoints")).absolute()
    kept.mkdir(parents=True, exist_ok=True)
    (root / "checkpoints").symlink_to(kept, target_is_directory=True)
    for path, content in _configuration(request, root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2))
    results(request, root).mkdir(parents=True, exist_ok=True)


def channel(request: JobRequest, root: Path, name: str) -> Path:
    """Return the folder of one input."""
    return root / ("input/data" if request.job.kind == "training" else "processing/input") / name


def results(request: JobRequest, root: Path) -> Path:
    """Return the folder of everything but the model."""
    return root / ("output/data" if request.job.kind == "training" else "processing/output")


def arguments(request: JobRequest) -> list[str]:
    """Return the command line that follows the image's entry point."""
    if request.job.kind == "training":
        return [request.job.name]
    return [request.job.name, *(word for name, value in request.parameters.items() for word in (f"--{name}", value))]


def variables(request: JobRequest, root: Path) -> dict[str, str]:
    """Return the whole environment of the job: the platform's and its own containers' variables, little of ours."""
    found = {
        ROOT: str(root),
        "AWS_REGION": _REGION,
        "HOME": str(root / "tmp"),
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": str(root / "tmp"),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(root / "tmp"),
        "TZ": "UTC",
    }
    if request.job.kind == "training":
        found |= _training_variables(request, root)
    return {**found, **request.environment}


def _training_variables(request: JobRequest, root: Path) -> dict[str, str]:
    """Return what SageMaker's training toolkit tells (its ENVIRONMENT_VARIABLES.md)."""
    told = {
        "SM_CHANNELS": json.dumps(sorted(request.inputs)),
        "SM_CURRENT_HOST": _HOST,
        "SM_HOSTS": json.dumps([_HOST]),
        "SM_HPS": json.dumps(dict(request.parameters)),
        "SM_INPUT_CONFIG_DIR": str(root / "input" / "config"),
        "SM_INPUT_DIR": str(root / "input"),
        "SM_MODEL_DIR": str(root / "model"),
        "SM_NUM_CPUS": str(len(os.sched_getaffinity(0))),
        "SM_NUM_GPUS": "0",
        "SM_OUTPUT_DATA_DIR": str(root / "output" / "data"),
        "SM_OUTPUT_DIR": str(root / "output"),
        "TRAINING_JOB_NAME": request.name,
    }
    told |= {f"SM_CHANNEL_{name.upper()}": str(channel(request, root, name)) for name in request.inputs}
    return told | {f"SM_HP_{name.upper()}": value for name, value in request.parameters.items()}


def _configuration(request: JobRequest, root: Path) -> dict[Path, Any]:
    hosts = {"current_host": _HOST, "hosts": [_HOST], "network_interface_name": "lo"}
    if request.job.kind == "training":
        folder = root / "input" / "config"
        way = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        return {
            folder / "hyperparameters.json": dict(request.parameters),
            folder / "inputdataconfig.json": dict.fromkeys(request.inputs, way),
            folder / "resourceconfig.json": hosts,
        }
    inputs = [
        {"InputName": name, "S3Input": {"LocalPath": str(channel(request, root, name)), "S3InputMode": "File"}}
        for name in request.inputs
    ]
    mode = "Continuous" if request.job.keeps_output else "EndOfJob"
    output = {"LocalPath": str(results(request, root)), "S3Uri": str(request.target), "S3UploadMode": mode}
    return {
        root / "config" / "processingjobconfig.json": {
            "ProcessingJobName": request.name,
            "AppSpecification": {"ContainerArguments": arguments(request)},
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "output", "S3Output": output}]},
        },
        root / "config" / "resourceconfig.json": hosts,
    }


def _fill(name: str, paths: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in paths:
        try:
            if path.is_dir():
                shutil.copytree(path, folder, copy_function=_link, dirs_exist_ok=True)
            else:
                _link(str(path), str(folder / path.name))
        except (FileExistsError, shutil.Error):
            raise Misuse(f"the input {name!r} has two files of one name, the second in {path}: rename one") from None


def _link(source: str, target: str) -> None:
    real = Path(source).resolve()
    try:
        os.link(real, target)
    except FileExistsError:
        raise
    except OSError:
        Path(target).symlink_to(real)
