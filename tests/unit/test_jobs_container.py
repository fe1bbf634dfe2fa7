"""The container's contract, read from files as SageMaker lays them out and from what its own containers say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from training.jobs.container import ROOT, Container, container_root, read_container
from training.jobs.table import JOBS, job_named

HYPERPARAMETERS = "input/config/hyperparameters.json"
CHANNELS = "input/config/inputdataconfig.json"
PROCESSING = "config/processingjobconfig.json"


def put(root: Path, name: str, content: Any) -> None:
    """Write a file of the contract; texts as they are."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def trained(root: Path, **variables: str) -> Container:
    """Read a training container with the inputs that it needs."""
    if not (root / CHANNELS).exists():
        put(root, CHANNELS, {"train": {}, "contract": {}})
    return read_container(job_named("train"), [], {ROOT: str(root), **variables})


def test_a_training_is_read_from_the_platform_s_files(tmp_path: Path) -> None:
    put(tmp_path, HYPERPARAMETERS, {"seconds": "60"})
    container = trained(tmp_path, TRAINING_JOB_NAME="one")
    assert container.name == "one"
    assert container.parameters == {"seconds": "60"}
    assert container.channels == {name: tmp_path / "input" / "data" / name for name in ("contract", "train")}
    assert container.model == tmp_path / "model"
    assert container.results == tmp_path / "output" / "data"
    assert container.checkpoints == tmp_path / "checkpoints"


def test_variables_of_sagemaker_s_containers_move_the_places(tmp_path: Path) -> None:
    told = {
        "SM_CHANNEL_TRAIN": "/elsewhere/train",
        "SM_MODEL_DIR": "/elsewhere/model",
        "SM_OUTPUT_DATA_DIR": "/elsewhere/out",
        "SM_HPS": json.dumps({"seconds": 60, "trials": 3, "families": "logistic"}),
    }
    container = trained(tmp_path, **told)
    assert container.channels["train"] == Path("/elsewhere/train")
    assert container.channels["contract"] == tmp_path / "input" / "data" / "contract"
    assert container.model == Path("/elsewhere/model")
    assert container.results == Path("/elsewhere/out")
    assert container.parameters == {"seconds": "60", "trials": "3", "families": "logistic"}


def test_the_file_of_parameters_comes_before_the_variable(tmp_path: Path) -> None:
    put(tmp_path, HYPERPARAMETERS, {"seconds": "1"})
    assert trained(tmp_path, SM_HPS=json.dumps({"seconds": "2"})).parameters == {"seconds": "1"}


def test_without_a_list_of_channels_their_folders_count(tmp_path: Path) -> None:
    for name in ("train", "contract"):
        (tmp_path / "input" / "data" / name).mkdir(parents=True)
    (tmp_path / "input" / "data" / "train-manifest").write_text("a file of the platform's")
    container = read_container(job_named("train"), [], {ROOT: str(tmp_path)})
    assert set(container.channels) == {"contract", "train"}


def test_a_processing_is_read_from_its_configuration_and_its_arguments(tmp_path: Path) -> None:
    inputs = [
        {"InputName": "contract", "S3Input": {"LocalPath": str(tmp_path / "elsewhere")}},
        {"InputName": "events"},
    ]
    put(tmp_path, PROCESSING, {"ProcessingJobName": "two", "ProcessingInputs": inputs})
    container = read_container(job_named("features"), ["--at", "latest", "--labelled", "true"], {ROOT: str(tmp_path)})
    assert container.name == "two"
    assert container.parameters == {"at": "latest", "labelled": "true"}
    assert container.channels["contract"] == tmp_path / "elsewhere"
    assert container.channels["events"] == tmp_path / "processing" / "input" / "events"
    assert container.results == tmp_path / "processing" / "output"


def test_a_processing_without_a_configuration_has_its_folders(tmp_path: Path) -> None:
    for name in ("contract", "data"):
        (tmp_path / "processing" / "input" / name).mkdir(parents=True)
    container = read_container(job_named("validate"), [], {ROOT: str(tmp_path)})
    assert set(container.channels) == {"contract", "data"}
    assert container.name == ""


def test_the_root_is_sagemaker_s_where_nobody_moved_it() -> None:
    assert container_root({}) == Path("/opt/ml")


@pytest.mark.parametrize("job", sorted(JOBS))
def test_a_missing_input_is_named_with_what_belongs_there(tmp_path: Path, job: str) -> None:
    first = next(iter(job_named(job).channels))
    with pytest.raises(Misuse, match=f"the job '{job}' needs the input '{first}' .+: give it one"):
        read_container(job_named(job), [], {ROOT: str(tmp_path)})


def test_an_unknown_input_and_an_unknown_parameter_are_refused_with_the_nearest(tmp_path: Path) -> None:
    put(tmp_path, CHANNELS, {"train": {}, "contract": {}, "champoin": {}})
    with pytest.raises(Misuse, match="knows no input 'champoin': did you mean 'champion'"):
        trained(tmp_path)
    put(tmp_path, CHANNELS, {"train": {}, "contract": {}})
    put(tmp_path, HYPERPARAMETERS, {"secnds": "1"})
    with pytest.raises(Misuse, match="knows no parameter 'secnds': did you mean 'seconds'"):
        trained(tmp_path)
    put(tmp_path, HYPERPARAMETERS, {"zzz": "1"})
    with pytest.raises(Misuse, match="it knows dollars, families, mlflow, price, seconds, trials, workers"):
        trained(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"a": '])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    put(tmp_path, HYPERPARAMETERS, content)
    with pytest.raises(Misuse, match=r"hyperparameters\.json holds no JSON object"):
        trained(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / HYPERPARAMETERS).mkdir(parents=True)
    with pytest.raises(Misuse, match=r"hyperparameters\.json cannot be read \(IsADirectoryError\)"):
        trained(tmp_path)


@pytest.mark.parametrize("words", [["--at"], ["at", "latest"], ["--at", "latest", "--labelled"]])
def test_arguments_are_pairs(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(Misuse, match="`--name value` pairs"):
        read_container(job_named("features"), words, {ROOT: str(tmp_path)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(value=JSON)
def test_every_value_of_a_parameter_becomes_a_text_that_says_it(
    value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    put(root, HYPERPARAMETERS, {"seconds": value})
    text = trained(root).parameters["seconds"]
    assert isinstance(text, str)
    assert text == value if isinstance(value, str) else json.loads(text) == value
