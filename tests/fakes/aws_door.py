"""moto's servers behind a door in this process, which can be busy, slow, or lose what it was told.

moto checks and then writes, without holding anything in between: two conditional writes at once may both succeed
there, as they never do in S3. The door lets one request in after the other, which makes them as exclusive as S3's.
What moto does not check: signatures, checksums that a client sends, and who may do what. It keeps If-Match and
If-None-Match of a PUT; it answers neither 409 nor 503 by itself, so the door does.
"""

import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from werkzeug.serving import WSGIRequestHandler, make_server

Start = Callable[..., Any]
REGION = "us-east-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "AWS_SESSION_TOKEN": "canary-token",
}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    connection: object


@dataclass
class Door:
    """What the tests tell the door, and what it saw.

    Attributes:
        url: where it listens.
        faults: what becomes of the next requests, one each: `busy` (503), `conflict` (409), `failed` (done, and then
            500), `dropped` (done, and then the connection is closed), `cut` (half an answer), `silent` (until `go_on`).
        asked: the requests.
    """

    url: str = ""
    faults: deque[str] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a function whose AWS is here."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, **KEYS}

    def bucket(self) -> str:
        """Make an empty bucket, versioned as real ones are, and return its name."""
        name = f"ebb-{uuid4().hex}"
        client = self.client("s3")
        client.create_bucket(Bucket=name)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def client(self, service: str) -> Any:
        """Return boto3's client, for what Ebb itself never does."""
        import boto3  # noqa: PLC0415 - slow to import

        session = boto3.Session("testing", "testing", region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def begin(self) -> None:
        """Forget what was, for the next test."""
        self.faults.clear()
        self.asked.clear()
        self.go_on.set()


@contextmanager
def aws_door() -> Iterator[Door]:
    """Run a door on a free loopback port."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - takes seconds

    door, moto, turn = Door(), DomainDispatcherApplication(create_backend_app), threading.Lock()

    def enter(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        door.asked.append(_asked(environ))
        fault = door.faults.popleft() if door.faults else ""
        if fault == "silent":
            door.go_on.wait(60)
        # What is not read here would stand before the next request on this connection.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if fault in {"busy", "conflict"}:
            return _refusal(start, fault)
        with turn:
            answered = b"".join(moto({**environ, "wsgi.input": io.BytesIO(body)}, start))
        if fault == "failed":
            return _refusal(start, "failed", anew=True)
        if fault == "dropped":
            environ["werkzeug.socket"].shutdown(2)
        return [answered[: len(answered) // 2]] if fault == "cut" else [answered]

    server = make_server("127.0.0.1", 0, enter, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    door.url = f"http://127.0.0.1:{server.port}"
    try:
        yield door
    finally:
        door.go_on.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


_REFUSALS = {
    "busy": ("503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"),
    "conflict": ("409 Conflict", b"<Error><Code>ConditionalRequestConflict</Code></Error>"),
    "failed": ("500 Internal Server Error", b"<Error><Code>InternalError</Code></Error>"),
}


def _refusal(start: Start, fault: str, *, anew: bool = False) -> list[bytes]:
    status, body = _REFUSALS[fault]
    headers = [("Content-Length", str(len(body)))]
    try:
        raise RuntimeError  # noqa: TRY301 - how WSGI takes headers back that were started
    except RuntimeError as error:
        told = (type(error), error, error.__traceback__) if anew else None
        start(status, headers, told) if told else start(status, headers)
    return [body]


def _asked(environ: dict[str, Any]) -> Asked:
    named = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
    return Asked(environ["REQUEST_METHOD"], path, named, environ["werkzeug.socket"])


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, as AWS does, and writes nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any, **__: Any) -> None:
        return
