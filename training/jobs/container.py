"""A SageMaker container's contract, read once: where inputs lie, what was asked, and where results belong.

Training containers: `input/config/hyperparameters.json` and `inputdataconfig.json`, `input/data/<channel>`, `model`,
`output/data`, `output/failure`, `checkpoints` ("How Amazon SageMaker AI provides training information"). Processing
containers: `config/processingjobconfig.json`, the local paths it names, arguments of the command line, and
`output/message` ("Build your own processing container"). All of it stands below one root, which is /opt/ml there and a
folder of the local executor's elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebb.errors import Misuse
from training.jobs.table import Job

ROOT = "EBB_JOB_ROOT"
"""The variable that moves the root away from /opt/ml."""
_DEFAULT_ROOT = "/opt/ml"


@dataclass(frozen=True)
class Container:
    """What one run of a job was given.

    Attributes:
        root: /opt/ml, or what stands for it.
        job: what is run.
        name: of this run; empty where nobody said.
        parameters: by name; texts, as SageMaker passes everything.
        channels: folder of each input, by name.
        model: where a training leaves its releases.
        results: where everything else belongs that is to be kept.
        checkpoints: what a run that follows an interrupted one finds again.
    """

    root: Path
    job: Job
    name: str
    parameters: Mapping[str, str]
    channels: Mapping[str, Path]
    model: Path
    results: Path
    checkpoints: Path

    @property
    def work(self) -> Path:
        """A folder for what is not kept, on the same disk as the results."""
        folder = self.root / "output"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def read_container(job: Job, arguments: Sequence[str], environment: Mapping[str, str]) -> Container:
    """Read what SageMaker, or the local executor, has laid out.

    Args:
        job: what is to be run.
        arguments: `--name value` pairs of the command line; a processing job's parameters.
        environment: the process's variables.

    Raises:
        Misuse: a file of the contract cannot be read, an input is missing, or a parameter is unknown.
    """
    root = container_root(environment)
    parameters = _pairs(job, arguments)
    if job.kind == "training":
        parameters = {**_hyperparameters(root, environment), **parameters}
        channels = _training_channels(root, environment)
        name = environment.get("TRAINING_JOB_NAME", "")
    else:
        config = _json(root / "config" / "processingjobconfig.json")
        channels = _processing_channels(root, config)
        name = str(config.get("ProcessingJobName", ""))
    job.check(set(channels), set(parameters))
    data = root / "output" / "data" if job.kind == "training" else root / "processing" / "output"
    return Container(
        root=root,
        job=job,
        name=name,
        parameters=parameters,
        channels=channels,
        model=Path(environment.get("SM_MODEL_DIR", root / "model")),
        results=Path(environment.get("SM_OUTPUT_DATA_DIR", data)),
        checkpoints=root / "checkpoints",
    )


def container_root(environment: Mapping[str, str]) -> Path:
    """Return /opt/ml, or what stands for it."""
    return Path(environment.get(ROOT, _DEFAULT_ROOT))


def _pairs(job: Job, arguments: Sequence[str]) -> dict[str, str]:
    names, values = arguments[::2], arguments[1::2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        raise Misuse(f"the job {job.name!r} takes its parameters as `--name value` pairs")
    return {name.removeprefix("--"): value for name, value in zip(names, values, strict=True)}


def _hyperparameters(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Read the platform's file; where there is none, what SageMaker's own containers say in a variable."""
    file = root / "input" / "config" / "hyperparameters.json"
    found = _json(file) if file.exists() else _parsed(environment.get("SM_HPS", "{}"), "the variable SM_HPS")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


def _training_channels(root: Path, environment: Mapping[str, str]) -> dict[str, Path]:
    data = root / "input" / "data"
    names = set(_json(root / "input" / "config" / "inputdataconfig.json")) or _folders(data)
    return {name: Path(environment.get(f"SM_CHANNEL_{name.upper()}", data / name)) for name in sorted(names)}


def _processing_channels(root: Path, config: Mapping[str, Any]) -> dict[str, Path]:
    folder = root / "processing" / "input"
    told = {
        str(entry["InputName"]): Path(entry.get("S3Input", {}).get("LocalPath", folder / str(entry["InputName"])))
        for entry in config.get("ProcessingInputs", [])
    }
    return told or {name: folder / name for name in sorted(_folders(folder))}


def _folders(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if entry.is_dir()} if folder.is_dir() else set()


def _json(file: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where there is no file."""
    try:
        return _parsed(file.read_text(), str(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} cannot be read ({type(error).__name__})") from None


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Misuse(f"{source} holds no JSON object: SageMaker writes it, so look at what started this job")
    return found
