"""The peers: how each is started with one worker, bound to loopback, with access logs and metrics off."""

import json
import subprocess
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.ports import free_port
from tests.load.peers.case import Case
from tests.load.peers.installed import python_of
from tests.load.peers.servers import APPS, Peer
from tests.load.peers.wire import INFERENCE, MLFLOW, PLAIN

_SECONDS = 120.0


def _fastapi(_case: Case, port: int, _folder: Path) -> list[str]:
    fast = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return ["-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", str(port), *fast]


def _bentoml(_case: Case, port: int, _folder: Path) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port), "--working-dir", str(APPS)]
    return ["-m", "bentoml", "serve", "bentoml_service:Scorer", *where]


def _mlflow(case: Case, port: int, folder: Path) -> list[str]:
    model, python = folder / "model", python_of("mlflow")
    if not model.exists():
        shape = [str(case.inputs.numbers.shape[1]), str(case.inputs.categories.shape[1])]
        save = [str(python), str(APPS / "save_mlflow.py"), str(case.model), *shape, str(model)]
        done = subprocess.run(save, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode:
            raise Unavailable(f"the graph could not be saved as an MLflow model: {done.stderr[-500:]}")
    serve = ["-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    return [*serve, "-h", "127.0.0.1", "-p", str(port), "--workers", "1"]


class _MLServer:
    """The command of MLServer with so many parallel workers; 0: everything in one process."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __call__(self, _case: Case, port: int, folder: Path) -> list[str]:
        settings = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": port,
            "grpc_port": free_port(),
            "metrics_endpoint": None,
            "parallel_workers": self._workers,
        }
        model = {"name": "scorer", "implementation": "mlserver_runtime.OnnxRuntime"}
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(json.dumps(model))
        return [str(python_of("mlserver").with_name("mlserver")), "start", str(folder)]


def _ray(_case: Case, port: int, folder: Path) -> list[str]:
    return [str(APPS / "ray_app.py"), str(port), str(folder)]


MLSERVER = Peer("MLServer", "mlserver", "mlserver", INFERENCE, _MLServer(0), note="one process")
MLSERVER_PARALLEL = Peer(
    "MLServer, `parallel_workers: 2`", "mlserver", "mlserver", INFERENCE, _MLServer(2), note="one more for HTTP"
)
FASTAPI = Peer("FastAPI + uvicorn", "fastapi", "fastapi", PLAIN, _fastapi, note="uvloop, httptools")
BENTOML = Peer(
    "BentoML", "bentoml", "bentoml", PLAIN, _bentoml, lambda _: {"BENTOML_DO_NOT_TRACK": "True"}, note="one worker"
)
MLFLOW_SERVE = Peer(
    "`mlflow models serve`",
    "mlflow",
    "mlflow",
    MLFLOW,
    _mlflow,
    lambda _: {"MLFLOW_DISABLE_TELEMETRY": "true"},
    note="one worker",
)
RAY = Peer(
    "Ray Serve",
    "ray",
    "ray",
    PLAIN,
    _ray,
    lambda _: {"RAY_USAGE_STATS_ENABLED": "0"},
    own_network=True,
    note="one replica, in a network namespace of its own",
)
PEERS = (MLSERVER, MLSERVER_PARALLEL, FASTAPI, BENTOML, MLFLOW_SERVE, RAY)
