"""The description as a page: whole, from this host only, and no way to any other file."""

import re
from html.parser import HTMLParser

import pytest

from ebb.http.doors import dispatch
from ebb.http.problems import Answer
from lambdas.predict.docs import ASSETS, asset, page
from tests.fakes.events import event

ROUTES = {"GET /docs": page, "GET /docs/{asset}": asset}
ELSEWHERE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def _ask(name: str | None = None) -> Answer:
    made = event("GET /docs") if name is None else event("GET /docs/{asset}", path={"asset": name})
    return dispatch(made, ROUTES, lambda *_: None)


class _Links(HTMLParser):
    """Collects what the page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for key, value in attrs if key in {"href", "src", "srcset", "action", "data"} and value]
        self.inline |= (tag == "script" and "src" not in given) or tag in {"style", "base", "iframe"}
        self.inline |= any(key.startswith("on") for key in given)


def _links() -> _Links:
    links = _Links()
    links.feed(_ask().body.decode())
    return links


def test_the_page_asks_only_for_what_it_brings() -> None:
    links = _links()
    assert {link.removeprefix("docs/") for link in links.found} == ASSETS.keys()
    assert all(link.startswith("docs/") for link in links.found), "beside the page, whatever stands before it"
    assert not links.inline, "which its policy forbids"


def test_its_own_script_names_no_other_host() -> None:
    script = _ask("start.js").body.decode()
    code = "\n".join(line.partition("//")[0] for line in script.splitlines())
    assert not ELSEWHERE.search(code)
    assert re.findall(r"fetch\(([^)]*)\)", code) == ['"openapi.json"']
    assert "validatorUrl: null" in code, "else Swagger UI asks its makers' server"


def test_its_styles_load_nothing_from_elsewhere() -> None:
    styles = _ask("swagger-ui.css").body.decode()
    loaded = re.findall(r"url\(\s*[\"']?([^)\"']*)", styles)
    assert all(each.startswith(("data:", "#")) for each in loaded), [each[:80] for each in loaded]
    assert "@import" not in styles


def test_the_policy_lets_no_request_leave() -> None:
    for name in (None, *ASSETS):
        headers = _ask(name).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert not ELSEWHERE.search(headers["content-security-policy"])
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-correlation-id"] == "request-1"


@pytest.mark.parametrize(
    ("name", "kind", "starts"),
    [
        (None, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", b"/*!"),
        ("swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("favicon-32x32.png", "image/png", b"\x89PNG"),
        ("start.js", "text/javascript; charset=utf-8", b"// Swagger UI 4"),
    ],
)
def test_everything_has_its_content_type(name: str | None, kind: str, starts: bytes) -> None:
    answered = _ask(name)
    assert (answered.status, answered.headers["content-type"]) == (200, kind)
    assert answered.body.startswith(starts)
    assert len(answered.body) < 4_000_000, "a function's answer ends at 6 MB, and base64 takes a third"


@pytest.mark.parametrize(
    "name",
    ["", "index.html", "../docs.py", "..%2fdocs.py", "swagger-ui.css.map", "/etc/hosts", "start.js\0", "START.JS"],
)
def test_nothing_else_is_found(name: str) -> None:
    answered = _ask(name)
    assert answered.status == 404
    assert name not in answered.body.decode() or not name
