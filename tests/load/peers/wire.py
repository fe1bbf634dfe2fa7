"""How a row is asked for and an answer read, a protocol each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.load.peers.case import Case

Body = Callable[[Case, int], dict[str, Any]]


@dataclass(frozen=True)
class Wire:
    """One protocol.

    Attributes:
        path: of the POST.
        body: the request for one row of a case.
        probability: where it stands in the answer.
        headers: beyond the usual.
    """

    path: str
    body: Body
    probability: Callable[[Any], float]
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, case: Case, row: int) -> str:
        """Return the whole HTTP/1.1 request for one row."""
        body = orjson.dumps(self.body(case, row)).decode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        size = len(body.encode())
        head = f"POST {self.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        return f"{head}{extra}content-length: {size}\r\n\r\n{body}"


def _row(case: Case, row: int) -> dict[str, Any]:
    return {"entity_id": case.entity_ids[row], "numbers": case.numbers(row), "categories": case.categories(row)}


def _inference(case: Case, row: int) -> dict[str, Any]:
    numbers, categories = case.numbers(row), case.categories(row)
    return {
        "inputs": [
            {"name": "numbers", "shape": [1, len(numbers)], "datatype": "FP32", "data": numbers},
            {"name": "categories", "shape": [1, len(categories)], "datatype": "BYTES", "data": categories},
        ]
    }


PLAIN = Wire("/predict", _row, lambda answer: answer["probability"])
INFERENCE = Wire("/v2/models/scorer/infer", _inference, lambda answer: answer["outputs"][0]["data"][0])
MLFLOW = Wire(
    "/invocations",
    lambda case, row: {"inputs": {"numbers": [case.numbers(row)], "categories": [case.categories(row)]}},
    lambda answer: answer["predictions"]["probability"][0],
)


def ebb(token: str) -> Wire:
    """Return Ebb's: only the entity's name, since the features are its own business."""
    headers = {"authorization": f"Bearer {token}"}
    return Wire(
        "/v1/predictions", lambda case, row: {"entity_id": case.entity_ids[row]}, lambda a: a["probability"], headers
    )
