"""MLflow's own server in a process of its own, on a free loopback port, with a sqlite file and artifacts by proxy.

Run as `python mlflow_server.py FOLDER ARTIFACTS`: prints its port once it listens. It is what `mlflow server` serves,
without the process tree and the job runners that the command puts around it. It dies with whoever started it.

As a module it gives tests `running_server`. What is emulated: SageMaker's managed MLflow, which is this server behind a
signature that its plugin adds.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE = 120.0
BY_PROXY = "mlflow-artifacts:/"
_PR_SET_PDEATHSIG = 1


def serve(folder: Path, artifacts: str) -> None:
    """Serve until killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    database = f"sqlite:///{folder / 'server.db'}"
    os.environ |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": artifacts,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
    }
    from mlflow.server import app, handlers  # noqa: PLC0415 - reads the environment
    from werkzeug.serving import make_server  # noqa: PLC0415 - as above

    handlers.initialize_backend_stores(database, database, artifacts)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


@contextmanager
def running_server(folder: Path, artifacts: str = BY_PROXY) -> Iterator[str]:
    """Start a server, lend its address, and end it by its id.

    Args:
        folder: of its database.
        artifacts: where artifacts lie; a folder is written by clients themselves, as a bucket would be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(folder), artifacts], stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
        port = process.stdout.readline().decode().strip() if ready else ""
        assert port, (folder / "server.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
