"""API Gateway events in payload format 2.0, as a function meets them."""

from typing import Any


def event(
    route: str,
    body: bytes = b"",
    *,
    scope: str = "predict",
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    client: str = "acme",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Make one event; a body that is no UTF-8 arrives as base64, as AWS sends it."""
    from base64 import b64encode  # noqa: PLC0415

    method, template = route.split(" ")
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = b64encode(body).decode(), True
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": template.format(**path or {}),
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "localhost", **(headers or {})},
        "pathParameters": path or {},
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "authorizer": {"jwt": {"claims": {"client_id": client, "scope": scope}, "scopes": None}},
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": method,
                "path": template.format(**path or {}),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": "request-1",
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": text,
        "isBase64Encoded": encoded,
    }
