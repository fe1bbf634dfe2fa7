"""The Python client of a running stage; needs httpx and nothing else of Ebb's dependencies."""

from ebb.client.aio import AsyncClient
from ebb.client.answers import Erasure, Prediction, Reason, SubjectExport, Written
from ebb.client.errors import (
    BadCall,
    CallFailed,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    OddAnswer,
    RateLimited,
    Refused,
    ServerTrouble,
    StaleFeatures,
    TokenUnavailable,
    Unauthorized,
    Unavailable,
    UnderWay,
    UnknownEntity,
    Unreachable,
)
from ebb.client.oauth import ClientCredentials
from ebb.client.policy import Policy
from ebb.client.releases import Registered, Registry
from ebb.client.routing import Role, Routing
from ebb.client.sync import Client

__all__ = [
    "AsyncClient",
    "BadCall",
    "CallFailed",
    "Client",
    "ClientCredentials",
    "Conflict",
    "DeadlineExceeded",
    "Erasure",
    "Forbidden",
    "NotFound",
    "OddAnswer",
    "Policy",
    "Prediction",
    "RateLimited",
    "Reason",
    "Refused",
    "Registered",
    "Registry",
    "Role",
    "Routing",
    "ServerTrouble",
    "StaleFeatures",
    "SubjectExport",
    "TokenUnavailable",
    "Unauthorized",
    "Unavailable",
    "UnderWay",
    "UnknownEntity",
    "Unreachable",
    "Written",
]
