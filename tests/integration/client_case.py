"""Two regions under test: each our gateway before real runtime clients; faults are told in the features of a call.

The handler does what `features[REGION]` says: `answer`, `sleep:SECONDS`, `exit`, or, for the first tries of a request,
`fail:TIMES:STATUS:RETRY_AFTER:PROBLEM`; and it notes what it sees in a file.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.executor.executor import Executor
from local.executor.function import Function
from local.gateway.authorizer import Authorizer
from local.gateway.gateway import Gateway
from local.gateway.routes import Route
from local.gateway.throttle import Throttle
from local.identity import Identity

ISSUER, REGIONS, PATIENCE = "http://127.0.0.1/issuer", ("north", "south"), 10.0
ROUTES = (
    Route("POST", "/v1/predictions", "tiny"),
    Route("POST", "/v1/predictions/batch", "tiny"),
    Route("PUT", "/v1/features/{entity_id}", "tiny"),
    Route("POST", "/v1/features/batch", "tiny"),
    Route("GET", "/v1/subjects/{entity_id}", "tiny", throttle=Throttle(rate=0.001, burst=1)),
    Route("DELETE", "/v1/subjects/{entity_id}", "tiny", scopes=("subjects",)),
)
HANDLER = """
import json, os, time

REGION, SEEN = os.environ["REGION"], os.environ["SEEN"]


def prediction(entity_id):
    return {
        "prediction_id": "p-1", "entity_id": entity_id, "probability": 0.75, "decision": "act", "threshold": 0.5,
        "expected_profit": 12.5, "currency": "EUR", "release": "0123456789ab", "rules_version": None,
        "variant": "champion", "features": {"tier": "fast", "stale": []}, "degraded": False, "degraded_because": [],
    }


def answered(status, document, **headers):
    kind = "application/json" if status == 200 else "application/problem+json"
    return {"statusCode": status, "headers": {"content-type": kind, **headers}, "body": json.dumps(document)}


def handle(event, context):
    headers, body = event["headers"], json.loads(event.get("body") or "{}")
    entity_id = body.get("entity_id") or event.get("pathParameters", {}).get("entity_id", "")
    note = {
        "region": REGION, "entity_id": entity_id, "route": event["routeKey"],
        "request": headers.get("ebb-request-id"),
        "key": headers.get("idempotency-key"), "deadline_ms": int(headers["ebb-deadline-ms"]),
        "purpose": headers.get("ebb-purpose"),
    }
    with open(SEEN, "a") as seen:
        seen.write(json.dumps(note) + chr(10))
    told, *values = (body.get("features") or {}).get(REGION, "answer").split(":")
    if told == "exit":
        os._exit(1)
    if told == "sleep":
        time.sleep(float(values[0]))
    if told == "fail":
        with open(SEEN) as seen:
            tries = sum(json.loads(line)["request"] == note["request"] for line in seen)
        if tries <= int(values[0]):
            problem = {"type": "urn:ebb:problem:" + (values[3:] or ["told"])[0],
                       "title": "Told", "status": int(values[1]),
                       "detail": "told to fail", "correlation_id": event["requestContext"]["requestId"]}
            return answered(problem["status"], problem, **({"retry-after": values[2]} if len(values) > 2 else {}))
    if event["routeKey"] == "POST /v1/predictions/batch":
        return answered(200, {"predictions": [prediction(item["entity_id"]) for item in body["entities"]]})
    if event["routeKey"] == "POST /v1/predictions":
        return answered(200, prediction(entity_id))
    return answered(200, {"entity_id": entity_id, "written": 1, "erased_at": 5.0, "fast_tier": "erased",
                          "caches_clear_at": 65.0, "exported_at": 5.0, "history_next": None})
"""


@dataclass
class Regions:
    """What runs, and what it saw.

    Attributes:
        urls: of the regions, the north first.
        relay: in front of the north; it cuts so many connections as `cuts` says after their request was answered.
        token_url: of the token endpoint, which has `asked` been so often and gives `bad` tokens that are not valid.
    """

    folder: Path
    identity: Identity
    urls: list[str] = field(default_factory=list)
    relay: str = ""
    cuts: int = 0
    token_url: str = ""
    asked: int = 0
    bad: int = 0

    def token(self, *scopes: str) -> str:
        return self.identity.mint("a-client", scopes or ("predict", "subjects"), 5, ISSUER, "ebb")

    def seen(self, entity_id: str) -> list[dict[str, Any]]:
        """Return what the handlers saw of one entity, in order."""
        path = self.folder / "seen"
        lines = path.read_text().splitlines() if path.exists() else []
        return [note for note in map(json.loads, lines) if note["entity_id"] == entity_id]

    def seen_by(self, entity_id: str, count: int) -> list[dict[str, Any]]:
        """Wait until so many calls were seen of one entity."""
        deadline = time.monotonic() + PATIENCE
        while len(notes := self.seen(entity_id)) < count:
            assert time.monotonic() < deadline, f"{len(notes)} of {count} calls came"
            time.sleep(0.01)
        return notes


@contextmanager
def two_regions(folder: Path) -> Iterator[Regions]:
    """Run both in one thread, which lives as long as they do."""
    regions = Regions(folder, Identity.load_or_create(folder / "state"))
    ready, failure = threading.Event(), list[BaseException]()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for name in REGIONS:
                regions.urls.append(await stack.enter_async_context(_region(name, regions)))
            north = int(regions.urls[0].rpartition(":")[2])
            regions.relay = await stack.enter_async_context(_serving(lambda r, w: _relay(regions, north, r, w)))
            regions.token_url = await stack.enter_async_context(_serving(lambda r, w: _grant(regions, r, w)))
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 - told where it is waited for
            failure.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="regions")
    thread.start()
    try:
        assert ready.wait(60)
        assert not failure, failure
        yield regions
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(30)


@asynccontextmanager
async def _region(name: str, regions: Regions) -> AsyncIterator[str]:
    root = regions.folder / name
    root.mkdir()
    (root / "tiny.py").write_text(HANDLER)
    environment = {"REGION": name, "SEEN": str(regions.folder / "seen")}
    function = Function("tiny", "tiny.handle", environment, root, environments=3)
    executor = Executor([function], log_dir=root / "logs")
    await executor.start()
    try:
        await executor.ready("tiny")
        gateway = Gateway(executor, ROUTES, Authorizer(regions.identity.jwks(), ISSUER, "ebb"))
        port = await gateway.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await gateway.stop()
    finally:
        await executor.stop()


Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def _serving(serve: Streams) -> AsyncIterator[str]:
    open_now: set[asyncio.Task[Any]] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        try:
            await serve(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()
            open_now.discard(task)

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now)


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0]) if lengths else 0)


async def _relay(regions: Regions, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass requests on; the answers of those that are cut never come back."""
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            server_writer.write(await _message(reader))
            answer = await _message(server_reader)
            if regions.cuts:
                regions.cuts -= 1
                return
            writer.write(answer)
    finally:
        server_writer.transport.abort()


async def _grant(regions: Regions, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer client credentials as a token endpoint does."""
    while True:
        request = await _message(reader)
        assert b"grant_type=client_credentials" in request
        regions.asked += 1
        await asyncio.sleep(0.05)  # so that others come to wait for the same token
        token = "no.valid.token" if regions.asked <= regions.bad else regions.token()
        body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 300}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
