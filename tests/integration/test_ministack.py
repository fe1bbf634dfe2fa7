"""MiniStack: it starts, answers and ends as a server of ours, and its services do what we rely on."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psutil
import pytest

from ebb.errors import Unavailable
from local.servers import ministack
from local.servers.ministack import MiniStack
from local.servers.ports import is_listening
from local.servers.process_id import ProcessId
from local.servers.starting import Aborted, PortTaken
from tests.home import ROOT
from tests.integration.stack_case import Stack, client_of, running_stack

pytestmark = pytest.mark.timeout(300)
BUCKET = "contract-tests"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        running.s3.create_bucket(Bucket=BUCKET)
        yield running


def test_it_listens_on_loopback_only_and_writes_to_its_folder_only(tmp_path: Path) -> None:
    server = MiniStack.start(tmp_path / "ms")
    try:
        found = psutil.Process(server.id.pid).net_connections(kind="all")
        listening = {connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN}
        assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", server.port)}
        environment = psutil.Process(server.id.pid).environ()
        assert not {name for name in environment if name.lower().endswith("_proxy")}
        assert environment["DOCKER_HOST"].endswith("/no-docker")
        assert "AWS_ENDPOINT_URL_SAGEMAKER" not in environment
    finally:
        server.stop()
    assert not server.id.alive()
    assert not is_listening(server.port)
    assert [path.name for path in (tmp_path / "ms").iterdir()] == ["ministack.log"]


def test_a_stopped_one_forgets_and_its_port_is_free_for_another(tmp_path: Path) -> None:
    server = MiniStack.start(tmp_path)
    client_of("s3", server.url).create_bucket(Bucket="soon-gone")
    server.stop()
    server.stop()
    again = MiniStack.start(tmp_path, server.port)
    try:
        assert client_of("s3", again.url).list_buckets()["Buckets"] == []
        with pytest.raises(PortTaken, match=f"port {again.port} in use"):
            MiniStack.start(tmp_path / "other", again.port)
    finally:
        again.stop()


def test_one_that_is_not_installed_or_given_up_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = Event()
    given_up.set()
    with pytest.raises(Aborted):
        MiniStack.start(tmp_path, abort=given_up)
    monkeypatch.setattr(ministack, "_ROOT", tmp_path)
    with pytest.raises(Unavailable, match=r"run `sh local/setup\.sh ministack`"):
        MiniStack.start(tmp_path)


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from local.servers.ministack import MiniStack; "
        f"m = MiniStack.start(pathlib.Path({str(tmp_path)!r})); print(m.id.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        server = ProcessId.of(int(parent.stdout.readline()))
        assert server is not None
        parent.send_signal(signal.SIGKILL)
        assert server.wait_gone(60)
    finally:
        parent.kill()
        parent.communicate()


def test_s3_keeps_lists_and_refuses(stack: Stack) -> None:
    names = [f"many/{number}" for number in range(5)]
    for name in names:
        stack.s3.put_object(Bucket=BUCKET, Key=name, Body=b"x")
    pages = stack.s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="many/", PaginationConfig={"PageSize": 2}
    )
    found = list(pages)
    assert [len(page["Contents"]) for page in found] == [2, 2, 1]
    assert [page["IsTruncated"] for page in found] == ["NextContinuationToken" in page for page in found]
    assert [entry["Key"] for page in found for entry in page["Contents"]] == names
    stack.s3.put_object(Bucket=BUCKET, Key="a b/Łódź=1.parquet", Body=b"\x00\xff" * 9)
    assert stack.s3.get_object(Bucket=BUCKET, Key="a b/Łódź=1.parquet")["Body"].read() == b"\x00\xff" * 9
    with pytest.raises(stack.s3.exceptions.ClientError) as missing:
        stack.s3.get_object(Bucket=BUCKET, Key="none")
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"


def test_s3_takes_large_objects_in_parts(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 4 * 2**13 * 2)  # 16 MiB: above the parts' size
    stack.s3.upload_file(str(tmp_path / "large"), BUCKET, "large")
    stack.s3.download_file(BUCKET, "large", str(tmp_path / "came"))
    assert (tmp_path / "came").read_bytes() == (tmp_path / "large").read_bytes()


def test_parameters_and_events_are_there_for_what_comes(stack: Stack) -> None:
    ssm = client_of("ssm", stack.server.url)
    ssm.put_parameter(Name="/ebb/a", Value="1", Type="String")
    assert ssm.get_parameter(Name="/ebb/a")["Parameter"]["Value"] == "1"
    events = client_of("events", stack.server.url)
    entry = {"Source": "ebb", "DetailType": "d", "Detail": "{}"}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
