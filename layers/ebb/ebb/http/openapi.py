"""What both functions' descriptions have in common: operations, problems, headers, and who may call.

The document is OpenAPI 3.1. Nothing here is imported on a hot route.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ebb.http.examples import TITLES, by_status, problem_example
from ebb.http.problems import JSON, PROBLEM
from ebb.http.scopes import SCOPES

ALWAYS = ("unexpected",)
GUARDED = ("not-allowed", "rate-limited", "unavailable", *ALWAYS)
"""Problems of every call that needs a token."""

BODY = ("bad-request", "too-large", "unsupported-media-type", "bad-shape")
"""Problems of every call with a body."""

ONCE = ("key-reused", "under-way")
"""Problems of every call that takes an idempotency key."""

_TEXT: Mapping[str, Any] = {"type": "string"}
HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "x-correlation-id": ("Names this call; tell it to whoever runs the service", _TEXT),
    "idempotency-replayed": ("`true` where an earlier try was answered", {"type": "string", "const": "true"}),
    "retry-after": ("Seconds until the same may be sent again", {"type": "integer", "minimum": 1}),
    "ratelimit-policy": ('The client\'s plan, such as `"rate";q=10000;w=2`', _TEXT),
    "ratelimit": ('What is left of it, such as `"rate";r=0;t=2`', _TEXT),
}
"""Of answers: meaning and schema."""

_SAME = "; the same in every try of the request"
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "entity_id": {
        "in": "path",
        "required": True,
        "description": "Whom it is about, percent-encoded",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": "c-000123",
    },
    "idempotency-key": {
        "in": "header",
        "description": f"Names a write: sent again within a day it is answered as before, and done once{_SAME}",
        "schema": {"type": "string", "pattern": "^[ -~]{1,128}$"},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
    "ebb-purpose": {
        "in": "header",
        "description": "What the prediction is made for; recorded",
        "schema": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "default": "prediction"},
        "example": "spring-letter",
    },
    "ebb-request-id": {
        "in": "header",
        "description": f"Names a request in the records; by default its correlation id{_SAME}",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "example": "01JD8Z3M5N",
    },
}


@dataclass(frozen=True)
class Operation:
    """One call.

    Attributes:
        method, path: of its route.
        name: its operation id.
        summary: one line for people.
        answer: name of the schema of its answer; empty where it is a page.
        examples: documents of the answer by their title.
        scopes: what the token must allow; None where none is needed.
        body: name of the schema of its body; empty where it has none.
        requests: documents of the body by their title.
        parameters: names out of `PARAMETERS`, or whole parameters.
        problems: last parts of their types, beyond those of every call like this.
        headers: of its answer, names out of `HEADERS`.
        description: more for people, Markdown.
        needs_body: whether the body may not be left out.
    """

    method: str
    path: str
    name: str
    summary: str
    answer: str
    examples: Mapping[str, Any]
    scopes: tuple[str, ...] | None = None
    body: str = ""
    requests: Mapping[str, Any] | None = None
    parameters: tuple[str | Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    description: str = ""
    needs_body: bool = True

    def document(self) -> dict[str, Any]:
        """Return the operation object."""
        problems = {*self.problems, *(ALWAYS if self.scopes is None else GUARDED), *(BODY if self.body else ())}
        if "idempotency-key" in self.parameters:
            problems.update(ONCE)
        made: dict[str, Any] = {
            "operationId": self.name,
            "summary": self.summary,
            **({"description": self.description} if self.description else {}),
            "tags": [self.path.split("/")[2]] if self.path.startswith("/v1/") else ["description"],
            "security": [] if self.scopes is None else [{"token": list(self.scopes)}],
        }
        if self.parameters:
            made["parameters"] = [_parameter(each) for each in self.parameters]
        if self.body:
            made["requestBody"] = {
                "required": self.needs_body,
                "content": {JSON: _content(self.body, self.requests or {})},
            }
        made["responses"] = {"200": self._success(), **self._refusals(problems)}
        return made

    def _success(self) -> dict[str, Any]:
        told = ("x-correlation-id", *self.headers)
        success: dict[str, Any] = {"description": "It is done", "headers": _headers(told)}
        if self.answer:
            success["content"] = {JSON: _content(self.answer, self.examples)}
        else:
            success["content"] = {"text/html": {"schema": dict(_TEXT)}}
        return success

    def _refusals(self, problems: set[str]) -> dict[str, Any]:
        found = {str(status): _refusal(status, names) for status, names in by_status(sorted(problems)).items()}
        if self.scopes is not None:
            found["401"] = {
                "description": "The gateway refuses the token",
                "content": {JSON: _content("GatewayRefusal", {"refused": {"message": "Unauthorized"}})},
            }
        return dict(sorted(found.items()))


def paths(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the paths object."""
    made: dict[str, Any] = {}
    for operation in operations:
        made.setdefault(operation.path, {})[operation.method.lower()] = operation.document()
    return made


def components(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components object around these schemas."""
    return {
        "schemas": dict(sorted(schemas.items())),
        "headers": {name: {"description": text, "schema": dict(schema)} for name, (text, schema) in HEADERS.items()},
        "parameters": {name: {"name": name, **parameter} for name, parameter in PARAMETERS.items()},
        "examples": {name: {"summary": TITLES[name], "value": problem_example(name)} for name in sorted(TITLES)},
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": f"A token whose `scope` names what the call needs; there are {', '.join(SCOPES)}.",
            }
        },
    }


def _parameter(given: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/{given}"} if isinstance(given, str) else dict(given)


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _content(schema: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    shown = {title.replace(" ", "-"): {"summary": title, "value": value} for title, value in examples.items()}
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}, **({"examples": shown} if shown else {})}


_WAITING = {409: ("retry-after",), 429: ("retry-after", "ratelimit-policy", "ratelimit"), 503: ("retry-after",)}


def _refusal(status: int, names: list[str]) -> dict[str, Any]:
    waiting = () if status == 409 and "under-way" not in names else _WAITING.get(status, ())  # noqa: PLR2004
    return {
        "description": "; or ".join(TITLES[name] for name in names),
        "headers": _headers(("x-correlation-id", *waiting)),
        "content": {
            PROBLEM: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names},
            }
        },
    }
