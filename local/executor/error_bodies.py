"""The error documents that Lambda itself writes (the runtime client writes those of exceptions)."""

import signal

import orjson

RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
REQUEST_LIMIT = 6 * 1024 * 1024
_SIGNALS: dict[int, str] = {
    signal.SIGABRT: "aborted",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
}


def reason(returncode: int) -> str:
    """Return how a process ended, in the words of Lambda's log."""
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode > 0:
        return f"Runtime exited with error: exit status {returncode}"
    number = -returncode
    name = _SIGNALS.get(number) or (signal.strsignal(number) or str(number)).lower()
    return f"Runtime exited with error: signal: {name}"


def _document(error_type: str, message: str) -> bytes:
    return orjson.dumps({"errorType": error_type, "errorMessage": message})


def exited(request_id: str, returncode: int) -> bytes:
    """The environment's process ended while it held the invocation."""
    return _document("Runtime.ExitError", f"RequestId: {request_id} Error: {reason(returncode)}")


def timed_out(request_id: str, seconds: float) -> bytes:
    """The invocation took longer than its function's timeout."""
    return _document("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")


def not_started(request_id: str, sentence: str) -> bytes:
    """No environment of the function starts; `sentence` says why."""
    return _document("Runtime.InitError", f"RequestId: {request_id} Error: {sentence}")


def stopped(request_id: str) -> bytes:
    """The executor is stopping."""
    return _document("Runtime.Stopped", f"RequestId: {request_id} Error: the executor is stopping")


def throttled() -> bytes:
    """No environment was free in time and the queue was full."""
    return orjson.dumps(
        {
            "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
            "Type": "User",
            "message": "Rate Exceeded.",
        }
    )


def too_large() -> bytes:
    """The function's answer is over Lambda's 6 MB."""
    return _document(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
    )


def init_sentence(body: bytes) -> str:
    """Return one sentence from the runtime client's init error document.

    The stack trace stays in the environment's log; a document that cannot be read is quoted as text.
    """
    try:
        document = orjson.loads(body)
        text = f"{document['errorType']}: {document['errorMessage']}"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = body[:300].decode("utf-8", "replace")
    return " ".join(text.split())
