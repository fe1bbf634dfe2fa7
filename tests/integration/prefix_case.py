"""A prefix of shards with a release, in S3 and in folders, to be scored by the state machine and on this machine."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import load_champion
from tests.fakes.releases import tiny_release
from tests.integration.stack_case import ROLE, Stack
from training.batch import score_prefix
from training.batch.cloud_scoring import CloudScoring
from training.batch.state_machine import as_json, state_machine
from training.progress import Silent

DATA, MODELS, RESULTS = "customer-tables", "models", "results"


class Prefix:
    """A prefix of shards in S3 with a release, and the same in folders."""

    def __init__(self, stack: Stack, folder: Path, name: str, shards: list[str]) -> None:
        self.stack, self.folder, self.name = stack, folder, name
        for number, shard in enumerate(shards):
            self.put(shard, rows(number))
        stack.s3.put_object(Bucket=DATA, Key=f"{name}/_SUCCESS", Body=b"")
        stack.s3.put_object(Bucket=DATA, Key=f"{name}/empty.parquet", Body=b"")
        self.release()

    def put(self, shard: str, table: pa.Table) -> None:
        path = self.folder / "data" / f"{shard}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        self.stack.s3.upload_file(str(path), DATA, f"{self.name}/{shard}.parquet")

    def release(self, bias: float = 0.0) -> None:
        """Make a release the champion, here and in S3."""
        files = tiny_release(bias)
        store = FolderReleases(self.folder / "releases")
        store.write("tiny", m.version_of(files), files)
        store.set_champion("tiny", m.version_of(files))
        for path in sorted((self.folder / "releases").rglob("*")):
            if path.is_file():
                key = f"{self.name}/releases/{path.relative_to(self.folder / 'releases').as_posix()}"
                self.stack.s3.upload_file(str(path), MODELS, key)

    def machine(self, **values: int) -> str:
        definition = as_json(state_machine(CloudScoring("image", ROLE, **values)))  # type: ignore[arg-type]
        return self.stack.machine(f"score-{self.name}-{'-'.join(map(str, values.values()))}", definition)

    def run(self, machine: str, **others: str) -> dict[str, Any]:
        usual = {"bucket": DATA, "prefix": f"{self.name}/", "release": f"s3://{MODELS}/{self.name}/releases"}
        return self.stack.run(machine, {**usual, "results_bucket": RESULTS, "results_prefix": self.name, **others})

    def scored(self) -> dict[str, pa.Table]:
        """Return what was scored, by shard."""
        found, home = {}, f"{self.name}/scored/{self.name}/"
        for key in self.stack.keys(RESULTS, home):
            target = self.folder / "came.parquet"
            self.stack.s3.download_file(RESULTS, key, str(target))
            found[key.removeprefix(home).removesuffix(".parquet")] = pq.ParquetFile(target).read()
        return found

    def expected(self) -> dict[str, pa.Table]:
        """Return what `score_prefix` makes of the same shards on this machine."""
        out = self.folder / "expected"
        release = load_champion(FolderReleases(self.folder / "releases"), "tiny", OnnxScorer)
        score_prefix(release, self.folder / "data", out, progress=Silent())
        paths = sorted(out.rglob("*.parquet"))
        return {str(p.relative_to(out).with_suffix("")): pq.ParquetFile(p).read() for p in paths}

    def jobs(self, execution: dict[str, Any]) -> list[str]:
        """Return the names of the jobs that an execution started."""
        names = [child["name"] for child in self.stack.children(execution)]
        return [job for job in self.stack.api.jobs.names() if any(name in job for name in names)]


def rows(number: int, count: int = 40) -> pa.Table:
    """Return rows that differ, with missing, unseen and nasty values."""
    return pa.Table.from_pylist(
        [
            {
                "id": f"{number}-{i}",
                "tenure": (i * 7 + number) % 120,
                "Monthly  spend": None if i % 9 == 0 else i * 1.7 + number / 3,
                "paperless": i % 2 == 0,
                "plan": ("basic", "plus")[i % 3 == 0],
                "city": ("Ghent", "", "Łódź", None)[i % 4],
            }
            for i in range(count)
        ]
    )


def assert_same_bits(came: dict[str, pa.Table], expected: dict[str, pa.Table]) -> None:
    assert sorted(came) == sorted(expected)
    for name, table in expected.items():
        assert came[name].replace_schema_metadata().equals(table.replace_schema_metadata())
        bits = [each["probability"].to_numpy().view(np.int32) for each in (came[name], table)]
        assert np.array_equal(*bits)
        assert len(set(bits[0].tolist())) > 10, "the rows tell something"
