"""The route that lists releases: every one once, whatever the pages, verified or with its damage, in its roles."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.client.errors import OddAnswer
from ebb.client.releases import listing, read_registry
from ebb.errors import NoRelease, RoutingError
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.release.manifest import MANIFEST, METRICS, MODEL
from ebb.routing.change import Roles, promoted, with_roles
from ebb.routing.table import Challenger, Change, RoutingTable
from lambdas.records.registry import MOST, USUAL, RegistryService
from tests.fakes.events import event
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import MemoryReleases, MemoryRouting, first_table, version

FILES = [tiny_release(float(bias)) for bias in range(5)]
VERSIONS = [version_in(files) for files in FILES]
IN_ORDER = sorted(VERSIONS)


def _store() -> MemoryReleases:
    return MemoryReleases({name: dict(files) for name, files in zip(VERSIONS, FILES, strict=True)})


def _ask(service: RegistryService, query: dict[str, str] | None = None, scope: str = "admin") -> Answer:
    made = event("GET /v1/registry", b"", scope=scope)
    made["queryStringParameters"] = query
    return answer(made, service.show, lambda *_: None)


def _page(service: RegistryService, query: dict[str, str] | None = None) -> Any:
    answered = _ask(service, query)
    assert answered.status == 200, answered.body
    document = orjson.loads(answered.body)
    read_registry(document)
    return document


def _service(routing: MemoryRouting | None = None, store: MemoryReleases | None = None) -> RegistryService:
    return RegistryService(lambda: "tiny", store or _store(), routing or MemoryRouting([first_table(VERSIONS[0])]))


def test_every_release_is_listed_with_its_figures_and_roles() -> None:
    table = with_roles(first_table(VERSIONS[0]), Roles((Challenger(VERSIONS[1], 0.1),)), Change(2.0, "t", "set"))
    table = promoted(table, VERSIONS[2], Change(3.0, "t", "promote"))
    document = _page(_service(MemoryRouting([table])))
    found = {item["version"]: item for item in document["releases"]}
    assert list(found) == IN_ORDER
    assert (document["contract"], document["next"], document["notes"]) == ("tiny", None, [])
    roles = {name: found[name]["roles"] for name in VERSIONS}
    assert roles == dict(zip(VERSIONS, (["previous"], ["challenger"], ["champion"], [], []), strict=True))
    one = found[VERSIONS[3]]
    assert (one["auc"], one["profit"], one["currency"], one["rows"], one["verified"]) == (0.8, 1.5, "EUR", 4, True)


@settings(deadline=None)
@given(st.integers(1, MOST))
def test_pages_of_any_size_hold_every_release_once(limit: int) -> None:
    service, seen, after = _service(), list[str](), ""
    while True:
        path = listing(after, limit).path
        query = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
        page = read_registry(_page(service, query))
        assert len(page.releases) <= limit
        seen += [release.version for release in page.releases]
        if page.next is None:
            break
        after = page.next
    assert seen == IN_ORDER


def test_the_usual_page_needs_no_query() -> None:
    assert listing("").path == "/v1/registry"
    assert len(_page(_service())["releases"]) == min(USUAL, len(VERSIONS))
    assert _page(_service(), {"after": "z" * 500})["releases"] == []


@pytest.mark.parametrize("limit", ["0", "-1", "51", "1.5", "many", "", "1e1", "٣", "999999999"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    answered = _ask(_service(), {"limit": limit})
    assert (answered.status, b"`limit` must be a whole number from 1 to 50" in answered.body) == (422, True)


def test_the_scope_admin_is_needed() -> None:
    assert _ask(_service(), scope="predict explain subjects").status == 403


def test_damage_is_told_and_hides_no_other_release() -> None:
    store = _store()
    altered, broken, unread = VERSIONS[:3]
    store.files[altered] = {**store.files[altered], MODEL: b"other"}
    store.files[broken] = {name: content for name, content in store.files[broken].items() if name != MANIFEST}
    store.files[unread] = {**store.files[unread], METRICS: b"["}
    found = {item["version"]: item for item in _page(_service(store=store))["releases"]}
    assert len(found) == len(VERSIONS)
    assert "the sha256 of model.onnx is not the manifest's" in found[altered]["damage"]
    assert "manifest.json is missing" in found[broken]["damage"]
    assert [found[name]["verified"] for name in VERSIONS] == [False, False, False, True, True]
    assert found[unread]["auc"] is None


def test_roles_that_cannot_be_read_or_name_nothing_are_notes() -> None:
    assert _page(_service(MemoryRouting()))["notes"] == ["there is no routing table yet: no release has a role"]
    gone = _page(_service(MemoryRouting([first_table(version(7))])))
    assert gone["notes"] == [f"the routing table names {version(7)}, and there is no such release"]

    class Damaged(MemoryRouting):
        def latest(self, contract: str) -> RoutingTable | None:
            raise RoutingError(contract)

    assert _page(_service(Damaged()))["notes"] == ["the routing table cannot be read: nobody's role is known"]


def test_without_a_contract_there_is_nothing_to_list() -> None:
    def nobody() -> str:
        raise NoRelease("there is no release yet")

    assert _ask(replace(_service(), contract=nobody)).status == 503


@pytest.mark.parametrize("document", [None, [], {}, {"contract": "x", "releases": [{}], "next": None}, {"releases": 3}])
def test_what_is_no_registry_is_an_odd_answer(document: object) -> None:
    with pytest.raises(OddAnswer):
        read_registry(document)
