"""What a cold start would add where release and stage secret lie in S3 and Secrets Manager: emulated by moto here.

No function reads from there yet; this prints what the reads cost by `boto3`, importing it included, in a fresh process.
Against AWS the network comes on top.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import boto3
from moto.server import ThreadedMotoServer

from tests.home import ROOT
from tests.load.figures import Figure

BUCKET, SECRET = "releases", "stage-secret"
RUNS = 7
_READ = """
import time; began = time.perf_counter()
import json, sys
import boto3
imported = time.perf_counter()
from ebb.release.manifest import verify
contract, names = sys.argv[1], sys.argv[2:]
ready = time.perf_counter()
s3, secrets = boto3.client("s3"), boto3.client("secretsmanager")
files = {name: s3.get_object(Bucket="releases", Key=name)["Body"].read() for name in names}
secret = secrets.get_secret_value(SecretId="stage-secret")["SecretBinary"]
read = time.perf_counter()
verify(files, contract)
assert len(secret) == 32
print(json.dumps([(imported - began) * 1000, (read - ready) * 1000]))
"""


def remote_start_figures(release: Path, runs: int = RUNS) -> list[Figure]:
    """Measure fresh processes that read one release and one secret.

    Args:
        release: its folder, named by its version, in the folder of its contract.
        runs: the median of so many.
    """
    files = {path.name: path.read_bytes() for path in sorted(release.iterdir())}
    with _stored(files) as variables:
        command = [sys.executable, "-c", _READ, release.parent.name, *files]
        took = [
            json.loads(subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=True).stdout)
            for _ in range(runs)
        ]
    how = f"fresh processes, median of {runs}, S3 and Secrets Manager emulated by moto on this machine; sha256 checked"
    return [
        Figure("importing `boto3`", "ms", median(one[0] for one in took), None, how),
        Figure(
            "reading release and stage secret from S3 and Secrets Manager (emulated)",
            "ms",
            median(one[1] for one in took),
            None,
            how,
        ),
    ]


@contextmanager
def _stored(files: dict[str, bytes]) -> Iterator[dict[str, str]]:
    """Hold files and a secret in an emulated account, and yield the environment that leads there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        account = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        there = {"endpoint_url": account["AWS_ENDPOINT_URL"], "region_name": "us-east-1"}
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        s3 = boto3.client("s3", **there, **keys)
        s3.create_bucket(Bucket=BUCKET)
        for name, content in files.items():
            s3.put_object(Bucket=BUCKET, Key=name, Body=content)
        boto3.client("secretsmanager", **there, **keys).create_secret(Name=SECRET, SecretBinary=os.urandom(32))
        yield {**os.environ, **account}
    finally:
        server.stop()
