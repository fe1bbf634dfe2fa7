"""The Invoke API under the real boto3 client."""

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ebb.errors import Unavailable
from local.executor.executor import Executor
from local.executor.invoke_api import InvokeApi
from local.identity import CONFIGURATION_PATH, JWKS_PATH, Identity

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:act"


@asynccontextmanager
async def listening(executor: Executor, documents: Mapping[str, bytes] | None = None) -> AsyncIterator[int]:
    api = InvokeApi(executor, documents or {})
    port = await api.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await api.stop()


def _client(port: int) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 0}),
    )


async def invoke(port: int, **arguments: Any) -> tuple[dict[str, Any], bytes]:
    """Invoke with a client of its own, in a thread; return boto3's answer and the payload."""

    def ask() -> tuple[dict[str, Any], bytes]:
        client = _client(port)
        try:
            answer: dict[str, Any] = client.invoke(**arguments)
            return answer, answer["Payload"].read()
        finally:
            client.close()

    return await asyncio.to_thread(ask)


@pytest.mark.parametrize("name", ["act", ARN, f"{ARN}:$LATEST", "123456789012:function:act", "act:$LATEST"])
def test_a_function_is_invoked_by_name_or_arn(executor_run: Run, executor_up: Up, name: str) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, listening(executor) as port:
            answer, payload = await invoke(port, FunctionName=name, Payload=b'{"a": 1}')
        assert answer["StatusCode"] == 200
        assert answer["ExecutedVersion"] == "$LATEST"
        assert "FunctionError" not in answer
        assert orjson.loads(payload)["event"] == {"a": 1}
        assert answer["ResponseMetadata"]["RequestId"] == orjson.loads(payload)["request_id"]

    executor_run(scenario())


def test_without_a_payload_the_event_is_an_empty_object(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, listening(executor) as port:
            _, payload = await invoke(port, FunctionName="act", Qualifier="$LATEST")
        assert orjson.loads(payload)["event"] == {}

    executor_run(scenario())


def test_event_and_dry_run(executor_run: Run, executor_up: Up, executor_until: Until) -> None:
    async def scenario() -> None:
        async with executor_up() as executor, listening(executor) as port:
            answer, payload = await invoke(port, FunctionName="act", InvocationType="DryRun")
            assert (answer["StatusCode"], payload) == (204, b"")
            assert executor.status()["act"].environments[0].invocations == 0
            answer, payload = await invoke(port, FunctionName="act", InvocationType="Event", Payload=b"[]")
            assert (answer["StatusCode"], payload) == (202, b"")
            await executor_until(lambda: executor.status()["act"].environments[0].invocations == 1)

    executor_run(scenario())


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        ({"do": "raise"}, "ValueError", "no such luck"),
        ({"do": "exit", "code": 0}, "Runtime.ExitError", "Runtime exited without providing a reason"),
        ({"do": "sleep", "seconds": 60}, "Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    ],
)
def test_a_failed_function_is_unhandled_with_awss_document(
    executor_run: Run, executor_up: Up, event: dict[str, Any], error_type: str, message: str
) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=0.5) as executor, listening(executor) as port:
            answer, payload = await invoke(port, FunctionName="act", Payload=orjson.dumps(event))
        document = orjson.loads(payload)
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert document["errorType"] == error_type
        assert document["errorMessage"].endswith(message)

    executor_run(scenario())


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        ({"FunctionName": "other"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "act", "Qualifier": "7"}, "ResourceNotFoundException", 404),
        ({"FunctionName": "act", "Payload": b"{no json"}, "InvalidRequestContentException", 400),
        ({"FunctionName": "act", "Payload": b'"%b"' % (b"x" * 6_291_456)}, "RequestTooLargeException", 413),
    ],
)
def test_what_cannot_be_invoked_is_lambdas_own_error(
    executor_run: Run, executor_up: Up, arguments: dict[str, Any], code: str, status: int
) -> None:
    async def scenario() -> None:
        async with executor_up(ready=False) as executor, listening(executor) as port:
            with pytest.raises(ClientError) as raised:
                await invoke(port, **arguments)
        assert raised.value.response["Error"]["Code"] == code
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    executor_run(scenario())


def test_over_the_queue_is_too_many_requests(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(queue_limit=0) as executor, listening(executor) as port:
            busy = asyncio.ensure_future(executor.ainvoke("act", b'{"do": "sleep", "seconds": 60}'))
            with pytest.raises(ClientError) as raised:
                await invoke(port, FunctionName="act")
            busy.cancel()
        assert raised.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429

    executor_run(scenario())


def test_the_identity_documents_are_published(executor_run: Run, executor_up: Up, tmp_path: Path) -> None:
    identity = Identity.load_or_create(tmp_path / "state")
    documents = identity.documents("http://127.0.0.1:9")

    def get(port: int, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    async def scenario() -> None:
        async with executor_up(ready=False) as executor, listening(executor, documents) as port:
            status, body = await asyncio.to_thread(get, port, JWKS_PATH)
            assert (status, orjson.loads(body)) == (200, identity.jwks())
            status, body = await asyncio.to_thread(get, port, CONFIGURATION_PATH)
            assert orjson.loads(body)["jwks_uri"] == f"http://127.0.0.1:9{JWKS_PATH}"
            assert (await asyncio.to_thread(get, port, "/2015-03-31/functions/"))[0] == 404

    executor_run(scenario())


def test_a_taken_port_is_named(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            async with executor_up(ready=False) as executor:
                with pytest.raises(Unavailable, match=f"port {port} on 127.0.0.1 is taken .* Lambda Invoke API"):
                    await InvokeApi(executor, {}).start("127.0.0.1", port)

    executor_run(scenario())
