"""moto's S3 server in a process of its own, on a free loopback port, for clients that are processes themselves.

Run as `python moto_server.py`: prints its port once it listens. It dies with whoever started it. As a module it gives
tests `running_s3`. What is emulated: S3's API and its buckets, in memory; signatures are not checked.
"""

import ctypes
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE = 120.0
_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Serve until killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - takes seconds
    from werkzeug.serving import make_server  # noqa: PLC0415 - as above

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


@contextmanager
def running_s3(folder: Path) -> Iterator[str]:
    """Start a server, lend its address, and end it by its id.

    Args:
        folder: of its log.
    """
    with (folder / "s3.log").open("a") as log:
        process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
        port = process.stdout.readline().decode().strip() if ready else ""
        assert port, (folder / "s3.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    serve()
