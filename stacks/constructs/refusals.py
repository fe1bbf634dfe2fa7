"""What a REST API refuses itself, as RFC 9457 problems of the kind that the functions answer with.

An HTTP API has fixed bodies. Here each says what the same refusal of a function would say, with the gateway's id of the
request as its correlation id. Kinds: "Gateway response types", API Gateway developer guide. A template knows no logic,
and takes values of `$context` only.
"""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as rest

PROBLEM, CORRELATION_ID = "application/problem+json", "$context.requestId"
_SAFE = "Sending the same again is safe. Give the correlation id to whoever runs this service."
_TOKEN = "ask for a token and send it as `authorization: Bearer ...`"  # noqa: S105 - a sentence, no secret


@dataclass(frozen=True)
class Refusal:
    """One kind of answer of the gateway.

    Attributes:
        kind: as API Gateway calls it.
        status: HTTP status; 0 keeps the one that the gateway chose.
        name: last part of the problem's type.
        title, detail: of the problem.
        wait: seconds after which it is worth asking again; 0 where nothing is said.
    """

    kind: str
    status: int
    name: str
    title: str
    detail: str
    wait: int = 0

    @property
    def body(self) -> str:
        """The problem as a template."""
        told = {"type": f"urn:ebb:problem:{self.name}", "title": self.title}
        status = {"status": self.status} if self.status else {}
        return json.dumps({**told, **status, "detail": self.detail, "correlation_id": CORRELATION_ID})


REFUSALS = (
    Refusal("UNAUTHORIZED", 401, "unauthorized", "The token is missing or not valid", _TOKEN),
    Refusal("EXPIRED_TOKEN", 401, "unauthorized", "The token is missing or not valid", _TOKEN),
    Refusal("ACCESS_DENIED", 403, "not-allowed", "The token lacks a scope", "ask for a token that has a scope"),
    Refusal("INVALID_API_KEY", 403, "no-key", "The API key is missing or not known", "send your key as `x-api-key`"),
    # The gateway calls a path that it does not know a missing token, since it might have been a signed request.
    Refusal(
        "MISSING_AUTHENTICATION_TOKEN",
        404,
        "unknown-route",
        "There is no such call",
        "there is no such call here: /openapi.json says which there are",
    ),
    Refusal(
        "RESOURCE_NOT_FOUND",
        404,
        "unknown-route",
        "There is no such call",
        "there is no such call here: /openapi.json says which there are",
    ),
    Refusal(
        "REQUEST_TOO_LARGE",
        413,
        "too-large",
        "The body is too large",
        "a body of more than 10 MB is not read here: send less at once",
    ),
    Refusal(
        "THROTTLED",
        429,
        "rate-limited",
        "The client asks too often",
        "more is asked than the stage, or this client's plan, lets through: ask again in a moment",
        wait=1,
    ),
    Refusal(
        "QUOTA_EXCEEDED",
        429,
        "quota-used",
        "The month's quota is used up",
        "this key may ask again next month: ask whoever runs this service for a larger plan",
    ),
    Refusal(
        "INTEGRATION_FAILURE",
        503,
        "unavailable",
        "A server that is needed does not answer",
        "A server that is needed is away. Send the same again in a moment; sent twice it changes nothing.",
        wait=1,
    ),
    Refusal("INTEGRATION_TIMEOUT", 504, "timed-out", "The answer takes too long", _SAFE, wait=1),
    Refusal("DEFAULT_4XX", 0, "refused", "The request is refused", "the gateway cannot take this request as it is"),
    Refusal("DEFAULT_5XX", 0, "unexpected", "Something unforeseen went wrong", _SAFE),
)
"""Each kind that can happen here; the two last stand for all others."""


def refuse_in_problems(api: rest.RestApi) -> None:
    """Let an API answer with these problems."""
    for refusal in REFUSALS:
        headers = {"content-type": f"'{PROBLEM}'"}
        if refusal.wait:
            headers["retry-after"] = f"'{refusal.wait}'"
        api.add_gateway_response(
            "".join(word.capitalize() for word in refusal.kind.split("_")),
            type=rest.ResponseType.of(refusal.kind),
            status_code=str(refusal.status) if refusal.status else None,
            response_headers=headers,
            templates={"application/json": refusal.body},
        )
