"""Hostile bodies and ids against the functions: always a problem or an answer, never a 500, never a value echoed."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract import parse_contract
from ebb.errors import MOST_REFUSALS, Unavailable
from ebb.features.inputs import accept_row, accept_some, encode
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.release.reference import make_reference
from lambdas.records.service import RecordsService
from tests.fakes.contracts import ROW, TEXT, tiny_contract
from tests.fakes.events import event
from tests.fakes.predicting import World

NOW = 1_800_000_000.0
PERSON = "Ada Lovelace"


class Functions:
    """Both functions on the same in-memory tiers; what they report is kept."""

    def __init__(self, folder: Path) -> None:
        world = World(folder)
        self.reports, self.tier, self.predicting = world.reports, world.durable, world.service
        self.writing = RecordsService(tiny_contract, world.tiers.store, lambda: NOW, self._report)

    def _report(self, what: str, _id: str) -> None:
        self.reports.append(what)

    def predict(self, body: bytes) -> Answer:
        asked = event("POST /v1/predictions", body, scope="predict explain")
        return answer(asked, self.predicting.predict, self.predicting.report)

    def write(self, entity_id: str, body: bytes) -> Answer:
        asked = event("PUT /v1/features/{entity_id}", body, scope="features:write", path={"entity_id": entity_id})
        return answer(asked, self.writing.put_features, self.writing.report)

    def batch(self, body: bytes) -> Answer:
        asked = event("POST /v1/features/batch", body, scope="features:write")
        return answer(asked, self.writing.put_batch, self.writing.report)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Functions:
    made = Functions(tmp_path_factory.mktemp("releases"))
    assert made.write("e", orjson.dumps({"features": ROW})).status == 200
    return made


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"NaN", b"Infinity", b"0x1", b"01", b"1_0", b"9" * 400])
def test_numbers_that_json_cannot_carry(functions: Functions, number: bytes) -> None:
    assert functions.predict(b'{"entity_id":"e","features":{"spend":' + number + b"}}").status == 400


@pytest.mark.parametrize("number", [b"3.5e38", b"-3.5e38", b"1e308", b"true", b'"1"', b"[1]", b"{}"])
def test_numbers_that_the_graph_cannot_carry(functions: Functions, number: bytes) -> None:
    assert functions.predict(b'{"entity_id":"e","features":{"spend":' + number + b"}}").status == 422


@pytest.mark.parametrize("number", [b"-0.0", b"1e-320", b"3.4028234663852886e38", b"1180591620717411303424", b"null"])
def test_numbers_at_the_edge_are_scored(functions: Functions, number: bytes) -> None:
    answered = functions.predict(b'{"entity_id":"e","features":{"spend":' + number + b"}}")
    assert 0.0 <= orjson.loads(answered.body)["probability"] <= 1.0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 60_000, 400),
        (b'{"a":' * 5_000, 400),
        (b"[" * 100_000, 413),
        (b'\xef\xbb\xbf{"entity_id":"e"}', 400),
        (b'{"entity_id":"\xff"}', 400),
        (b'{"entity_id":"\\ud800"}', 400),
        (b'{"entity_id":"e","features":{"plan":"\\udfff"}}', 400),
        (b'{"entity_id":"nobody","entity_id":"e"}', 200),
        (b'{"entity_id":{"$ne":1}}', 422),
        (b'{"entity_id":"e","explain":1}', 422),
        (b'{"entity_id":"e","features":{"__proto__":1}}', 422),
        (b'{"entity_id":"e","__class__":1}', 422),
    ],
)
def test_odd_json(functions: Functions, body: bytes, status: int) -> None:
    assert functions.predict(body).status == status


@pytest.mark.parametrize(
    "entity_id",
    ["", " \n", "a\0b", "a\x7f", "a\u0085", "\u200b", "\u202egnp", "\ufeffe", "\ue000", "x" * 257, "\ufffd", "e\ufffd"],
)
def test_ids_that_nobody_could_read_are_refused(functions: Functions, entity_id: str) -> None:
    assert functions.write(entity_id, b'{"features":{"spend":1.5}}').status == 422
    assert functions.predict(orjson.dumps({"entity_id": entity_id})).status == 422
    assert entity_id not in functions.tier.records


def test_ids_that_only_look_alike_are_two_entities(functions: Functions) -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    assert functions.write(composed, orjson.dumps({"features": ROW})).status == 200
    assert functions.predict(orjson.dumps({"entity_id": decomposed})).status == 404


@pytest.mark.parametrize(
    "when", [b"1e308", b"-1", b"0", b"true", b'"1"', b"[]", b"1800000301", b"1e400", b"%d" % 2**70]
)
def test_event_times_that_never_were(functions: Functions, when: bytes) -> None:
    assert functions.write("never", b'{"features":{"spend":1.5},"event_time":' + when + b"}").status in {400, 422}
    assert "never" not in functions.tier.records


def test_one_bad_entity_of_a_thousand_writes_none(functions: Functions) -> None:
    entities: list[dict[str, Any]] = [{"entity_id": f"t{n}", "features": {"spend": 1.5}} for n in range(1_000)]
    entities[777]["features"]["tenure"] = PERSON
    refused = functions.batch(orjson.dumps({"entities": entities}))
    assert refused.status == 422
    assert orjson.loads(refused.body)["errors"] == [{"feature": "entities[777].tenure", "reason": "is not a number"}]
    assert not any(name.startswith("t") for name in functions.tier.records)


def test_a_problem_never_outgrows_its_request(functions: Functions) -> None:
    names = {f"k{number}": 1 for number in range(6_000)}
    one = functions.predict(orjson.dumps({"entity_id": "e", "features": names}))
    entities = [{"entity_id": f"t{n}", "features": dict.fromkeys(names, 1)} for n in range(60)]
    many = functions.batch(orjson.dumps({"entities": entities}))
    for refused in (one, many):
        assert refused.status == 422
        assert len(refused.body) < 20_000
        assert len(orjson.loads(refused.body)["errors"]) == MOST_REFUSALS
    assert "and 5,900 more" in orjson.loads(one.body)["detail"]


@pytest.mark.parametrize("feature", ["tenure", "spend", "paperless", "plan", "city"])
@pytest.mark.parametrize("value", [PERSON, PERSON * 100, PERSON + "\0", [PERSON], {PERSON: 1}])
def test_no_refusal_repeats_a_value(functions: Functions, feature: str, value: object) -> None:
    body = orjson.dumps({"entity_id": "e", "features": {feature: value}})
    told = functions.predict(body)
    if told.status != 200:
        assert PERSON.encode() not in told.body
    assert not any(PERSON in report for report in functions.reports)


def test_no_server_user_or_path_is_named_to_a_caller(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable('Postgres refused: password authentication failed for user "ebb"')

    monkeypatch.setattr(functions.tier, "merge", refuse)
    answered = functions.write("e", orjson.dumps({"features": ROW}))
    assert answered.status == 503
    assert not any(word in answered.body.lower() for word in (b"postgres", b"password", b'ebb"', b"valkey", b"/"))
    assert "password authentication failed" in functions.reports[-1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entity_id=JSON, features=st.dictionaries(st.sampled_from([*ROW, "x"]), JSON) | JSON, explain=JSON)
def test_no_json_makes_a_500(functions: Functions, entity_id: object, features: object, explain: object) -> None:
    body = orjson.dumps({"entity_id": entity_id, "features": features, "explain": explain, "event_time": explain})
    for answered in (functions.predict(body), functions.write("e", body), functions.batch(body)):
        assert answered.status in {200, 400, 404, 422}, answered.body


def test_the_typical_value_fits_the_range_it_came_from() -> None:
    contract = parse_contract(TEXT.replace('kind = "number"', 'kind = "number"\nmin = 0.7\nmax = 0.7'), "edge")
    row = {**ROW, "spend": 0.7}
    inputs = encode(contract, [accept_row(contract, row)] * 3)
    reference = make_reference(contract, inputs, np.array([1, 0, 1], np.int8), np.full(3, 0.5, np.float32))
    typical = reference.typical(contract)
    assert typical["spend"] == 0.7
    assert accept_some(contract, typical)["spend"] == 0.7
