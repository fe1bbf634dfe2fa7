"""The runtime client's events and answers by orjson mean what they mean by its own marshaller."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
from hypothesis import given
from hypothesis import strategies as st

from ebb.lambda_json import use_quick_json
from tests.fakes.events import event

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
OWN = LambdaMarshaller()


@pytest.fixture(scope="module")
def quick() -> Iterator[Any]:
    before = BaseLambdaRuntimeClient.marshaller
    use_quick_json()
    yield BaseLambdaRuntimeClient.marshaller
    BaseLambdaRuntimeClient.marshaller = before


@given(document=DOCUMENTS)
def test_what_is_sent_and_what_comes_means_the_same(quick: Any, document: Any) -> None:
    sent, kind = quick.marshal_response(document)
    assert kind == OWN.marshal_response(document)[1]
    assert json.loads(sent) == json.loads(OWN.marshal_response(document)[0])
    text = json.dumps(document)
    assert quick.unmarshal_request(text) == OWN.unmarshal_request(text)


@pytest.mark.parametrize("response", [{1: "a"}, Decimal("1.10"), "\ud800", 2**70, b"bytes"])
def test_what_orjson_cannot_do_is_done_as_before(quick: Any, response: Any) -> None:
    assert quick.marshal_response(response) == OWN.marshal_response(response)


def test_what_is_no_number_is_sent_as_json_has_it(quick: Any) -> None:
    assert quick.marshal_response({"a": float("nan")})[0] == b'{"a":null}'  # the client's own NaN is no JSON


def test_an_event_of_the_gateway_is_itself(quick: Any) -> None:
    made = event("POST /v1/predictions", b'{"entity_id": "\xc3\xa9"}')
    assert quick.unmarshal_request(json.dumps(made).encode()) == made
    assert quick.unmarshal_request(b"raw", "text/plain") == b"raw"


def test_what_is_no_json_is_the_clients_own_failure(quick: Any) -> None:
    with pytest.raises(FaultException, match="Unable to unmarshal input"):
        quick.unmarshal_request("{")


def test_without_the_client_nothing_happens_and_nothing_is_imported() -> None:
    use = "from ebb.lambda_json import use_quick_json; use_quick_json()"
    code = f"import sys; {use}; sys.exit(any(name.startswith('awslambdaric') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
