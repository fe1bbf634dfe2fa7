"""A copy of the pipeline in a git repository of its own, and DVC in its tool environment, told to reach nobody."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.home import ROOT

DVC = ROOT / ".tools" / "dvc" / "bin" / "dvc"
STAGES = ["generate", "features", "validate", "train", "evaluate"]
BUCKET = "versions"
SMALL = """\
generate: {customers: 3000, months: 6, seed: 7, drift: "5:0.5"}
features: {first: "2023-03-01", last: "2023-04-01", judged: "2023-05-01"}
train: {trials: 1, workers: 1}
"""
_CONTRACT = "training/contracts/synthetic_events.toml"
_DEADLINE = 600
_RAN = re.compile(r"^Running stage '(\w+)'", re.MULTILINE)
_CALM = {"min_auc = 0.75": "min_auc = 0.5", "max_calibration_error = 0.03": "max_calibration_error = 0.5"}


@dataclass(frozen=True)
class Pipeline:
    """A working copy.

    Attributes:
        folder: of the repository.
        home: where DVC keeps what is neither the repository's nor the cache's.
        proxy: the only way out that clients are told of.
    """

    folder: Path
    home: Path
    proxy: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, with `ebb` of this environment on the path, and return what it printed."""
        ways = {name: self.proxy for way in ("http_proxy", "https_proxy", "all_proxy") for name in (way, way.upper())}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DVC_", "GIT_"))},
            **ways,
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "DVC_SITE_CACHE_DIR": str(self.home / "site"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.home / "system"),
            "EBB_HOME": str(self.home / "ebb"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=_DEADLINE, check=False
        )

    def ok(self, *command: str) -> str:
        """Run a command that must succeed, and return its output."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dvc(self, *words: str) -> str:
        """Run DVC, which must succeed, and return its output."""
        return self.ok(str(DVC), *words)

    def git(self, *words: str) -> str:
        """Run git, which must succeed, and return its output."""
        return self.ok("git", "-c", "user.name=test", "-c", "user.email=test@localhost", *words)

    def repro(self) -> list[str]:
        """Rebuild, and return the stages that ran."""
        return _RAN.findall(self.dvc("repro"))

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file once."""
        path = self.folder / name
        assert path.read_text().count(old) == 1, (name, old)
        path.write_text(path.read_text().replace(old, new))

    def release(self) -> str:
        """Return the champion's version."""
        return (self.folder / "pipeline/releases/synthetic_events/champion").read_text().strip()

    def versioned(self) -> dict[str, str]:
        """Return the sha256 of every file that DVC versions, by path."""
        top = self.folder / "pipeline"
        mine = {"mlflow.db", "mlflow-artifacts", ".lock"}  # the registry, which is the machine's
        files = (path for path in top.rglob("*") if path.is_file())
        named = {path.relative_to(top): path for path in files}
        return {
            str(name): hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in named.items()
            if not (name.parts[0] == "releases" and name.parts[1] in mine)
        }

    def use_remote(self, endpoint: str) -> None:
        """Name the bucket as the remote, in the file that git ignores."""
        self.dvc("remote", "add", "--local", "--default", "store", f"s3://{BUCKET}/ebb")
        settings = {"endpointurl": endpoint, "region": "eu-central-1", "access_key_id": "test"}
        for name, value in {**settings, "secret_access_key": "test"}.items():
            self.dvc("remote", "modify", "--local", "store", name, value)


def make_pipeline(folder: Path, home: Path, proxy: str) -> Pipeline:
    """Copy the pipeline into a git repository of its own, with few customers and gates that few rows pass."""
    folder.mkdir()
    home.mkdir()
    for name in (".dvcignore", ".gitignore", "dvc.yaml", ".dvc/config", ".dvc/.gitignore"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "training", folder / "training", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "params.yaml").write_text(SMALL)
    made = Pipeline(folder, home, proxy)
    for strict, calm in _CALM.items():
        made.replace(_CONTRACT, strict, calm)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "The pipeline")
    return made


def clone(origin: Pipeline, folder: Path, endpoint: str) -> Pipeline:
    """Clone a repository, as somebody else would, with a cache of its own and the same remote."""
    origin.git("clone", "-q", str(origin.folder), str(folder))
    home = folder.with_name(f"{folder.name}-home")
    home.mkdir()
    made = Pipeline(folder, home, origin.proxy)
    made.use_remote(endpoint)
    return made
