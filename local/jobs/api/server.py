"""The door of the processing jobs: SageMaker's protocol (AWS JSON 1.1) on loopback, in threads of this process."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from ebb.errors import EbbError, Misuse
from local.jobs.api.processing import NameTaken, NoSuchJob, ProcessingJobs
from local.servers.ports import LOOPBACK

_Answer = tuple[int, Mapping[str, Any]]
_CODES = {NameTaken: "ResourceInUse", NoSuchJob: "ValidationException", Misuse: "ValidationException"}


class SageMakerApi:
    """CreateProcessingJob, DescribeProcessingJob and StopProcessingJob.

    Args:
        folder: of the jobs.
        s3: makes a client of the S3 that they read and write.

    Attributes:
        jobs: behind it.
        url: where it listens.
    """

    def __init__(self, folder: Path, s3: Callable[[], Any]) -> None:
        self.jobs = ProcessingJobs(folder, s3)
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _door(self.answer))
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="SageMaker's API", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and every job."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.jobs.close()

    def answer(self, operation: str, body: bytes) -> _Answer:
        """Return status and content for a request."""
        try:
            request = dict(json.loads(body).items())
            if operation == "CreateProcessingJob":
                return 200, self.jobs.create(request)
            if operation == "DescribeProcessingJob":
                return 200, self.jobs.describe(str(request["ProcessingJobName"]))
            if operation == "StopProcessingJob":
                self.jobs.stop(str(request["ProcessingJobName"]))
                return 200, {}
        except EbbError as error:
            return 400, {"__type": _CODES.get(type(error), "InternalFailure"), "message": str(error)}
        except (ValueError, KeyError, AttributeError):
            return 400, {"__type": "SerializationException", "message": "the request is no JSON of this operation"}
        return 400, {"__type": "UnknownOperationException", "message": f"{operation!r} is not answered here"}


def _door(answer: Callable[[str, bytes], _Answer]) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        """Reads a request and writes its answer."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = answer(self.headers.get("X-Amz-Target", "").rpartition(".")[2], body)
            written = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_words: Any) -> None:
            """Stay silent."""

    return Door
