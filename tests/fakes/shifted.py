"""A function with versions and aliases that is no function: in memory, and behind Lambda's and CodeDeploy's own APIs.

Environments come by `pace` with each look, so that no test waits. What is not emulated: signatures, who may do what,
and that AWS takes its time.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ebb.errors import Misuse, Unavailable
from ebb.shift.function import FAILED, READY, Capacity

COMING = "IN_PROGRESS"
Answer = Callable[[str, Mapping[str, Any]], Any]


@dataclass
class FakeFunction:
    """What a test tells it, and what it was asked.

    Attributes:
        versions: that there are.
        aliases: version by alias.
        warm: capacity by version.
        pace: environments that come between two looks.
        fails_at: so many come, and then it fails; None where it does not.
        answer: from qualifier and event to the answer; what it raises is a crash.
        asked: capacities that were asked for.
    """

    versions: set[str] = field(default_factory=lambda: {"1", "2"})
    aliases: dict[str, str] = field(default_factory=lambda: {"live": "1"})
    warm: dict[str, Capacity] = field(default_factory=dict)
    pace: int = 1_000_000
    fails_at: int | None = None
    answer: Answer = lambda _qualifier, event: {"statusCode": 200, "body": json.dumps({"asked": event})}
    asked: list[tuple[str, int]] = field(default_factory=list)

    def keep(self, version: str, count: int, status: str = READY) -> None:
        """Say how many environments of a version are warm."""
        self.warm[version] = Capacity(count, count, count, status)

    def alias_version(self, alias: str) -> str:
        """See `ShiftedFunction`."""
        if alias not in self.aliases:
            raise Misuse(f"there is no alias {alias}")
        return self.aliases[alias]

    def capacity(self, version: str) -> Capacity | None:
        """See `ShiftedFunction`; each look lets some environments come."""
        self._require(version)
        have = self.warm.get(version)
        if have is None or have.status != COMING:
            return have
        there = min(have.asked, have.allocated + self.pace)
        if self.fails_at is not None and there >= self.fails_at:
            told = Capacity(have.asked, self.fails_at, 0, FAILED, "no room is left")
        else:
            told = Capacity(have.asked, there, there, READY if there == have.asked else COMING)
        self.warm[version] = told
        return told

    def ask_capacity(self, version: str, count: int) -> None:
        """See `ShiftedFunction`."""
        self._require(version)
        self.asked.append((version, count))
        have = self.warm.get(version)
        self.warm[version] = Capacity(count, have.allocated if have else 0, have.available if have else 0, COMING)

    def invoke(self, qualifier: str, event: Mapping[str, Any], seconds: float) -> Any:
        """See `ShiftedFunction`."""
        assert seconds > 0
        self._require(self.aliases.get(qualifier, qualifier))
        try:
            return self.answer(qualifier, event)
        except Exception as error:  # noqa: BLE001 - as a function that crashes
            raise Unavailable(f"{qualifier} failed ({type(error).__name__})") from None

    def _require(self, version: str) -> None:
        if version not in self.versions:
            raise Misuse(f"there is no version {version}")


@dataclass
class Shifting:
    """A door: Lambda's API in front of a fake function, and CodeDeploy's, which writes down what it is told.

    Attributes:
        url: where it listens.
        told: deployment, hook and status of each call of CodeDeploy.
        refusals: errors that CodeDeploy answers with first.
    """

    url: str
    told: list[tuple[str, str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


_ALIAS = re.compile(r"/2015-03-31/functions/predict/aliases/(\w+)")
_WARM = "/2019-09-30/functions/predict/provisioned-concurrency"
_INVOKE = "/2015-03-31/functions/predict/invocations"


class _Handler(BaseHTTPRequestHandler):
    """Answers for one function and one CodeDeploy, which `shifting` gives it."""

    function: FakeFunction
    door: Shifting
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        at = urlsplit(self.path)
        version = parse_qs(at.query).get("Qualifier", ["$LATEST"])[0]
        if self.headers.get("X-Amz-Target"):
            self._codedeploy(json.loads(body))
        elif named := _ALIAS.fullmatch(at.path):
            self._try(lambda: {"Name": named[1], "FunctionVersion": self.function.alias_version(named[1])})
        elif at.path == _WARM:
            self._warm(version, body)
        elif at.path == _INVOKE:
            self._invoke(version, json.loads(body))
        else:
            self._send(404, {}, "ResourceNotFoundException")

    do_POST = do_PUT = do_GET  # noqa: N815 - http.server's own names

    def _warm(self, version: str, body: bytes) -> None:
        if self.command == "PUT":
            count = json.loads(body)["ProvisionedConcurrentExecutions"]
            self._try(lambda: self._asked(version, count), 202)
        elif version in self.function.versions and version not in self.function.warm:
            self._send(404, {}, "ProvisionedConcurrencyConfigNotFoundException")
        else:
            self._try(lambda: _told(self.function.capacity(version)))

    def _asked(self, version: str, count: int) -> dict[str, Any]:
        self.function.ask_capacity(version, count)
        return _told(self.function.warm[version])

    def _invoke(self, version: str, event: dict[str, Any]) -> None:
        if self.function.aliases.get(version, version) not in self.function.versions:
            self._send(404, {}, "ResourceNotFoundException")
            return
        try:
            self._send(200, self.function.answer(version, event))
        except Exception as error:  # noqa: BLE001 - as a function that crashes
            self._send(200, {"errorType": type(error).__name__}, crashed="Unhandled")

    def _codedeploy(self, asked: dict[str, str]) -> None:
        if self.door.refusals:
            self._send(400, {"__type": f"com.amazonaws.codedeploy#{self.door.refusals.pop(0)}"})
            return
        self.door.told.append((asked["deploymentId"], asked["lifecycleEventHookExecutionId"], asked["status"]))
        self._send(200, {"lifecycleEventHookExecutionId": asked["lifecycleEventHookExecutionId"]})

    def _try(self, work: Callable[[], Any], status: int = 200) -> None:
        try:
            self._send(status, work())
        except Misuse as error:
            self._send(404, {"Message": str(error)}, "ResourceNotFoundException")

    def _send(self, status: int, document: Any, refused: str = "", crashed: str = "") -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("x-amzn-ErrorType", refused), ("X-Amz-Function-Error", crashed)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def shifting(function: FakeFunction) -> Iterator[Shifting]:
    """Open a door to a function named `predict` on a free loopback port."""
    door = Shifting("")
    handler = type("Handler", (_Handler,), {"function": function, "door": door})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    door.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def _told(capacity: Capacity | None) -> dict[str, Any]:
    assert capacity is not None
    return {
        "RequestedProvisionedConcurrentExecutions": capacity.asked,
        "AllocatedProvisionedConcurrentExecutions": capacity.allocated,
        "AvailableProvisionedConcurrentExecutions": capacity.available,
        "Status": capacity.status,
        **({"StatusReason": capacity.because} if capacity.because else {}),
    }
