"""The description of the API as a page: Swagger UI out of its package, with no request to another host."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from swagger_ui_bundle import swagger_ui_path

from ebb.errors import UnknownRoute
from ebb.http.calls import Call
from ebb.http.problems import Answer

_OURS = files("lambdas.predict") / "page"
_JAVASCRIPT, _CSS, _HTML = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/html; charset=utf-8"
ASSETS: Mapping[str, str] = {
    "swagger-ui-bundle.js": _JAVASCRIPT,
    "swagger-ui.css": _CSS,
    "favicon-32x32.png": "image/png",
    "start.js": _JAVASCRIPT,
}
"""What there is under /docs/, with its content type; nothing else is looked for on disk."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(call: Call) -> Answer:
    """`GET /docs`."""
    return _send((_OURS / "index.html").read_bytes(), _HTML, "no-cache", call)


def asset(call: Call) -> Answer:
    """`GET /docs/{asset}`.

    Raises:
        UnknownRoute: there is no such asset.
    """
    name = call.path.get("asset", "")
    if name not in ASSETS:
        raise UnknownRoute("there is no such file here: /docs names all that it needs")
    content = (_OURS / name).read_bytes() if name == "start.js" else (Path(swagger_ui_path) / name).read_bytes()
    return _send(content, ASSETS[name], "public, max-age=86400", call)


def _send(content: bytes, kind: str, cache: str, call: Call) -> Answer:
    headers = {
        "content-type": kind,
        "cache-control": cache,
        "content-security-policy": _POLICY,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-correlation-id": call.correlation_id,
    }
    return Answer(200, content, headers)
