"""What calls send and how their answers are read; what is refused before anything is sent; what the import costs."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ebb import errors
from ebb.client import Client, OddAnswer, Prediction, Role, StaleFeatures, calls, routing
from ebb.client.answers import read_erasure, read_export, read_prediction, read_predictions, read_written
from ebb.errors import Misuse
from ebb.http.calls import Call
from ebb.http.problems import problem_document
from ebb.routing.document import roles_from_document
from ebb.routing.table import Challenger, RoutingTable
from lambdas.predict.request import read_batch
from lambdas.records.routing_document import told

ANSWER: dict[str, Any] = {
    "prediction_id": "p-1",
    "entity_id": "c-1",
    "probability": 0.25,
    "decision": "hold",
    "threshold": 0.5,
    "expected_profit": -1.5,
    "currency": "EUR",
    "release": "0123456789ab",
    "rules_version": None,
    "variant": "champion",
    "features": {"tier": "fast", "stale": ["age"], "new_key": 1},
    "degraded": False,
    "degraded_because": [],
    "something_newer": {"x": 1},
}


def test_the_import_needs_httpx_alone() -> None:
    heavy = {"numpy", "orjson", "onnxruntime", "redis", "pydantic"}
    ask = f"import sys; import ebb.client; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.text(min_size=1, max_size=40))
def test_any_id_is_one_segment_of_the_path_that_is_sent(entity_id: str) -> None:
    request = calls.erase_subject(entity_id, None)
    sent = httpx.URL("https://api.example.com" + request.path).raw_path.decode()
    prefix, _, segment = sent.rpartition("/")
    assert prefix == "/v1/subjects"
    assert unquote(segment) == entity_id
    assert not urlsplit(sent).query


@pytest.mark.parametrize("entity_id", ["", "\ud800", 7, None])
def test_what_is_no_id_is_refused(entity_id: Any) -> None:
    with pytest.raises(Misuse, match="entity_id"):
        calls.put_features(entity_id, {"a": 1}, None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_json_does_not_hold_is_refused_without_the_value(value: Any) -> None:
    with pytest.raises(Misuse, match="None for what is missing"):
        calls.predict("c-1", {"a": value}, None, explain=False)


def test_what_is_not_given_is_not_sent() -> None:
    assert json.loads(calls.predict("c-1", None, None, explain=False).body) == {"entity_id": "c-1"}
    assert calls.export_subject("c-1", 0, None, None).path == "/v1/subjects/c-1"
    full = calls.predict("c-1", {"a": None}, "retention-campaign", explain=True)
    assert json.loads(full.body) == {"entity_id": "c-1", "features": {"a": None}, "explain": True}
    assert full.headers == {"ebb-purpose": "retention-campaign"}
    assert calls.export_subject("c-1", 5, 1.5, None).path == "/v1/subjects/c-1?history_from=5&event_time=1.5"


@pytest.mark.parametrize("purpose", ["", "a b", "a\r\nb", "ü", "Upper", "a" * 65])
def test_a_purpose_that_cannot_travel_is_refused(purpose: str) -> None:
    with pytest.raises(Misuse, match="purpose"):
        calls.predict("c-1", None, purpose, explain=False)


def test_each_write_has_a_key_of_its_own_or_the_callers() -> None:
    keys = [calls.put_features("c-1", {"a": 1}, None, None).headers["idempotency-key"] for _ in range(10)]
    assert len(set(keys)) == 10
    assert calls.erase_subject("c-1", "order-7").headers == {"idempotency-key": "order-7"}


def test_a_prediction_is_read_with_what_is_newer_kept_aside() -> None:
    prediction = read_prediction(ANSWER)
    assert (prediction.probability, prediction.decision, prediction.tier) == (0.25, "hold", "fast")
    assert (prediction.stale, prediction.reasons) == (("age",), None)
    assert prediction.document["something_newer"] == {"x": 1}
    reasons = read_prediction({**ANSWER, "reasons": [{"feature": "age", "contribution": 0.5, "text": "old"}]}).reasons
    assert reasons is not None
    assert (reasons[0].feature, reasons[0].contribution, reasons[0].text) == ("age", 0.5, "old")


@given(st.sampled_from(sorted({*ANSWER} - {"something_newer"})))
def test_a_prediction_that_lacks_something_is_an_odd_answer(key: str) -> None:
    assume(key in ANSWER)
    with pytest.raises(OddAnswer, match=key):
        read_prediction({name: value for name, value in ANSWER.items() if name != key})


def test_a_batch_has_a_prediction_or_an_exception_for_each_item() -> None:
    problem = problem_document(errors.StaleFeatures("old"), "c")
    first, second = read_predictions({"predictions": [ANSWER, {"entity_id": "x", "error": problem}]}, "r-1")
    assert isinstance(first, Prediction)
    assert isinstance(second, StaleFeatures)


def test_the_other_answers_are_read() -> None:
    assert read_written({"written": 2, "not_written": 1, "note": "late"}).not_written == 1
    erased = {"entity_id": "c-1", "erased_at": 5.0, "fast_tier": "pending", "caches_clear_at": None}
    assert read_erasure(erased).pending
    exported = {"entity_id": "c-1", "exported_at": 5.0, "history_next": 7, "history": []}
    assert read_export(exported).history_next == 7


def test_the_routing_table_is_read_and_its_changes_are_sent_as_the_routes_know_them() -> None:
    table = told("telco", [RoutingTable(3, "0" * 32, "0123456789ab", previous="ba9876543210")])
    read = routing.read_routing({**table, "written": 3, "notes": ["later"]})
    assert (read.contract, read.version, read.notes) == ("telco", 3, ("later",))
    assert read.roles[0] == Role("champion", "0123456789ab", 0.0, 1.0)
    sent = routing.set_roles([{"release": "ba9876543210", "weight": 0.1}], {"release": "ba9876543210"}, None, 3)
    roles = roles_from_document(json.loads(sent.body))
    assert roles.challengers == (Challenger("ba9876543210", 0.1),)
    assert json.loads(sent.body)["based_on"] == 3
    assert json.loads(routing.promote("ba9876543210", None).body) == {"release": "ba9876543210"}
    assert (routing.roll_back(None).path, routing.show().method) == ("/v1/routing/rollback", "GET")
    assert sent.headers["idempotency-key"] != routing.roll_back(None).headers["idempotency-key"]
    with pytest.raises(Misuse):
        routing.set_roles([{"release": "ba9876543210", "weight": float("nan")}], None, None, None)
    with pytest.raises(OddAnswer):
        routing.read_routing({"roles": [7]})


def test_a_batch_is_sent_as_the_function_reads_it() -> None:
    sent = calls.predict_batch([{"entity_id": "a"}, {"entity_id": "b", "features": {"x": 1}}], "outreach", explain=True)
    body, headers = sent.body, {"content-type": "application/json", **sent.headers}
    call = Call("c", frozenset({"predict", "explain"}), body, {}, {}, "id", headers, "POST /v1/predictions/batch")
    asked, items = read_batch(call)
    assert (asked.purpose, asked.explain, len(items)) == ("outreach", True, 2)


@pytest.mark.parametrize("read", [read_prediction, read_predictions, read_written, read_erasure, read_export])
@pytest.mark.parametrize("document", [None, [], "text", {}, {"predictions": 7, "written": None, "features": []}])
def test_what_is_no_answer_is_told(read: Any, document: Any) -> None:
    with pytest.raises(OddAnswer):
        read(document, "r-1")


@pytest.mark.parametrize(
    "endpoints",
    [
        "http://api.example.com",
        "api.example.com",
        "ftp://x",
        "https://u:p@x",
        "https://x?y=1",
        "",
        [],
        [7],
        "http://[::",
    ],
)
def test_an_endpoint_that_is_none_or_not_safe_is_refused(endpoints: Any) -> None:
    with pytest.raises(Misuse):
        Client(endpoints, "token")


@pytest.mark.parametrize("endpoint", ["https://api.example.com/stage/", "http://localhost:1", "http://[::1]:1"])
def test_a_safe_endpoint_is_taken_and_closing_twice_does_nothing(endpoint: str) -> None:
    client = Client(endpoint, "token")
    client.close()
    client.close()
    with pytest.raises(Misuse, match="closed"):
        client.predict("c-1")
