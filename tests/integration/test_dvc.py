"""The pipeline of dvc.yaml: what is rebuilt when something changes, and versions that come back from S3.

DVC runs in its own tool environment, the stages' commands in this one. moto's S3 server stands for the remote.
"""

import importlib.util
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.home import ROOT
from tests.integration.dvc_case import BUCKET, DVC, STAGES, Pipeline, clone, make_pipeline
from tests.integration.moto_server import running_s3

pytestmark = pytest.mark.timeout(1500)


@dataclass(frozen=True)
class Story:
    """Two versions of data and release, made one after the other, tagged and pushed.

    Attributes:
        origin: where they were made.
        endpoint: of the remote.
        ran: stages that ran for the first version, then with nothing changed, then with another seed.
        files: sha256 of each versioned file, by tag.
        champions: by tag.
    """

    origin: Pipeline
    endpoint: str
    ran: tuple[list[str], list[str], list[str]]
    files: dict[str, dict[str, str]]
    champions: dict[str, str]


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    """The only way out that anyone is told of: at the end, nobody has knocked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.setblocking(False)
        knocked = []
        with suppress(BlockingIOError):
            while True:
                with listening.accept()[0] as connection:
                    connection.settimeout(10)
                    knocked.append(connection.recv(200))
        assert knocked == []


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 with one empty bucket."""
    with running_s3(tmp_path_factory.mktemp("s3")) as url:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", **keys)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield url


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, proxy: str, endpoint: str) -> Story:
    assert DVC.is_file(), "DVC's tool environment is missing: run `make dvc`"
    top = tmp_path_factory.mktemp("dvc")
    origin = make_pipeline(top / "origin", top / "home", proxy)
    origin.use_remote(endpoint)
    files, champions = {}, {}
    first = origin.repro()
    again = origin.repro()
    files["first"], champions["first"] = _keep(origin, "first")
    origin.replace("params.yaml", "seed: 7", "seed: 8")
    second = origin.repro()
    files["second"], champions["second"] = _keep(origin, "second")
    return Story(origin, endpoint, (first, again, second), files, champions)


def _keep(made: Pipeline, tag: str) -> tuple[dict[str, str], str]:
    """Commit, tag and push a version; return its files and its champion."""
    assert {line[3:] for line in made.git("status", "--porcelain").splitlines()} <= {"dvc.lock", "params.yaml"}
    made.git("add", "dvc.lock", "params.yaml")
    made.git("commit", "-q", "-m", tag)
    made.git("tag", tag)
    made.dvc("push")
    return made.versioned(), made.release()


def test_everything_is_made_once_and_nothing_twice(story: Story) -> None:
    first, again, _ = story.ran
    assert (first, again) == (STAGES, [])
    made = set(story.files["first"])
    expected = {"features.parquet", "judged.parquet", "validation.json", "validation/validation.html", "train.json"}
    assert expected | {"evaluation.json", "data/events/part-00000.parquet", "data/manifest.json"} <= made
    assert f"releases/synthetic_events/{story.champions['first']}/model.onnx" in made


def test_another_seed_makes_everything_anew_and_keeps_the_releases_before(story: Story) -> None:
    first, second = story.files["first"], story.files["second"]
    assert story.ran[2] == STAGES
    for name in ("data/events/part-00000.parquet", "features.parquet", "evaluation.json"):
        assert first[name] != second[name]
    old = f"releases/synthetic_events/{story.champions['first']}/"
    assert story.champions["first"] != story.champions["second"]
    assert (
        {n: s for n, s in second.items() if n.startswith(old)}
        == {n: s for n, s in first.items() if n.startswith(old)}
        != {}
    )


def test_the_metrics_are_the_champions_on_a_month_it_has_not_seen(story: Story) -> None:
    (kept,) = json.loads(story.origin.dvc("metrics", "show", "--json")).values()
    metrics = kept["data"]["pipeline/evaluation.json"]["data"]
    assert metrics["release"] == f"synthetic_events/{story.champions['second']}"
    assert metrics["seen"] is False
    assert 0.5 < metrics["auc"] < 1


def test_two_versions_come_back_from_the_remote_byte_for_byte(story: Story, tmp_path: Path) -> None:
    copy = clone(story.origin, tmp_path / "copy", story.endpoint)
    copy.dvc("pull")
    assert copy.versioned() == story.files["second"]
    copy.git("checkout", "-q", "first")
    copy.dvc("pull")
    assert copy.versioned() == story.files["first"]
    assert copy.release() == story.champions["first"]
    shutil.rmtree(copy.folder / "pipeline")
    shutil.rmtree(copy.folder / ".dvc" / "cache")
    copy.dvc("pull")
    assert copy.versioned() == story.files["first"]


def test_elsewhere_nothing_is_made_again_but_what_more_trials_change(story: Story, tmp_path: Path) -> None:
    copy = clone(story.origin, tmp_path / "copy", story.endpoint)
    copy.dvc("pull")
    assert copy.repro() == []
    copy.replace("params.yaml", "trials: 1", "trials: 2")
    ran = copy.repro()
    assert ran[0] == "train"
    assert set(ran) <= {"train", "evaluate"}
    kept = copy.versioned()
    before = story.files["second"]
    untouched = [name for name in before if name.startswith(("data/", "validation")) or name.endswith(".parquet")]
    assert {name: kept[name] for name in untouched} == {name: before[name] for name in untouched}
    trials = json.loads((copy.folder / "pipeline/train.json").read_text())["metrics"]["search"]["trials"]
    assert len(trials) == 2


def test_a_critical_finding_stops_it_and_leaves_its_report(story: Story, tmp_path: Path) -> None:
    copy = clone(story.origin, tmp_path / "copy", story.endpoint)
    copy.dvc("pull")
    contract = "training/contracts/synthetic_events.toml"
    copy.replace(contract, 'categories = ["cable", "fibre", "mobile"]', 'categories = ["cable"]')
    copy.replace(contract, "min = 300\nmax = 850", "min = 300\nmax = 301")
    done = copy.run(str(DVC), "repro")
    assert done.returncode != 0
    assert "failed to reproduce 'validate'" in done.stderr
    assert "internet_service" in done.stdout
    report = json.loads((copy.folder / "pipeline/validation.json").read_text())
    assert report["critical"]
    assert (copy.folder / "pipeline/validation/validation.html").stat().st_size
    assert copy.release() == story.champions["second"]


def test_ebb_knows_nothing_of_dvc() -> None:
    assert importlib.util.find_spec("dvc") is None
    lines = {
        line.strip()
        for room in ("layers/ebb/ebb", "lambdas", "training", "local")
        for path in (ROOT / room).rglob("*.py")
        for line in path.read_text().splitlines()
    }
    assert {line for line in lines if line.startswith(("import dvc", "from dvc"))} == set()
    assert "\ndvc" not in (ROOT / "requirements.txt").read_text()


def test_nobody_is_told_of_its_use(story: Story) -> None:
    settings = story.origin.dvc("config", "--project", "--list").split()
    assert {"core.analytics=false", "core.check_update=false"} <= set(settings)
