"""Nothing that Ebb imports tells anybody that it runs: ONNX Runtime's wheels would."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
from tests.fakes.tables import fit_model, make_table
from training.export import export
from ebb.onnx import OnnxScorer
inputs, labels = make_table(200, 2, 1)
scorer = OnnxScorer(export(fit_model(inputs, labels), 2, 1))
print(len(scorer.score(inputs)))
"""


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """Open a port that writes down the first bytes of whoever knocks."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    knocking, _ = server.accept()
                except TimeoutError:
                    continue
                with knocking:
                    heard.append(knocking.recv(200))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            ended.set()
            thread.join()


def test_a_scored_graph_leaves_no_trace_and_calls_nobody(tmp_path: Path) -> None:
    with listening() as (port, heard):
        proxy = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
        environment |= {"HOME": str(tmp_path), "HTTPS_PROXY": proxy, "https_proxy": proxy, "HTTP_PROXY": proxy}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.stdout.strip() == "200", done.stderr
    assert heard == []
    assert list(tmp_path.rglob("*onnxruntime*")) == []
    assert list(tmp_path.rglob("deviceid")) == []


@pytest.mark.parametrize("module", ["ebb.onnx", "lambdas.predict.bootstrap", "training.pipeline"])
def test_the_switch_is_set_before_onnx_runtime_is_there(module: str) -> None:
    program = f"import sys, os, {module}; print('onnxruntime' in sys.modules, os.environ.get('ORT_DISABLE_TELEMETRY'))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() in (["True", "1"], ["False", "None"])
