"""The description of the call about the releases of the store."""

from typing import Any

from pydantic import BaseModel, Field

from ebb.http.openapi import Operation
from ebb.http.scopes import ADMIN
from lambdas.records.registry import MOST, USUAL


class RegisteredItem(BaseModel):
    """One release of the store."""

    contract: str
    version: str
    roles: list[str] = Field(description="`champion`, `challenger`, `cheap`, `shadow` or `previous`")
    created: str = Field(description="UTC, ISO 8601; empty where the manifest cannot be read")
    auc: float | None = Field(description="Out of fold; null where it was not written down")
    profit: float | None = Field(description="Per entity, in `currency`")
    currency: str
    rows: int | None = Field(description="That it was trained on")
    data_sha256: str
    damage: str = Field(description="What is wrong with its files; empty where nothing is")
    verified: bool = Field(description="Whether every sha256 is the manifest's")


class RegistryAnswer(BaseModel):
    """One page of releases."""

    contract: str
    releases: list[RegisteredItem]
    next: str | None = Field(description="`after` of the next page; null where this is the last")
    notes: list[str] = Field(description="Roles that cannot be read, or name what is not there")


_RELEASE: dict[str, Any] = {
    "contract": "example",
    "version": "0f3a9c51d27e",
    "roles": ["champion"],
    "created": "2026-11-23T08:00:00+00:00",
    "auc": 0.8475,
    "profit": 4.31,
    "currency": "EUR",
    "rows": 7_043,
    "data_sha256": "7f" * 32,
    "damage": "",
    "verified": True,
}
REGISTRY_OPERATIONS = (
    Operation(
        "GET",
        "/v1/registry",
        "list_releases",
        "The releases of the store, verified",
        "RegistryAnswer",
        {"one release": {"contract": "example", "releases": [_RELEASE], "next": None, "notes": []}},
        scopes=(ADMIN,),
        parameters=(
            {
                "name": "after",
                "in": "query",
                "description": "`next` of the page before",
                "schema": {"type": "string"},
                "example": "0f3a9c51d27e",
            },
            {
                "name": "limit",
                "in": "query",
                "description": "Releases of the page",
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
                "example": USUAL,
            },
        ),
        problems=("bad-shape", "no-release", "no-usable-release"),
        description="In the order of their versions. Each is read whole and checked against its manifest.",
    ),
)
REGISTRY_MODELS = (RegistryAnswer,)
